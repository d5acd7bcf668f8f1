import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, type Registry } from 'prom-client';
import { createMetrics, type Observed, SECONDS } from './metrics.ts';

/** The methods that a label may have, by the semantic conventions of OpenTelemetry. A client can send any other. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);

export const methodLabel = (method: string): string => (METHODS.has(method) ? method : '_OTHER');

interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
}

/** The metrics that every service has: of its requests, its process, and whether it can do its work. */
export const createHttpMetrics = (registry: Registry, readiness: () => Readiness) => {
  collectDefaultMetrics({ register: registry });
  const metrics = createMetrics(registry);
  metrics.gauge('order_events_ready', '1 if the service can do its work now, as `GET /health/ready` says', () =>
    readiness().ready ? 1 : 0,
  );
  metrics.gauges(
    'order_events_check_ok',
    '1 if the service has this thing that it needs, as the `checks` of `GET /health/ready` say',
    ['check'],
    () => readiness().checks.map(({ name, ok }) => [{ check: name }, ok ? 1 : 0]),
  );
  const durations = metrics.histogram(
    'http_server_request_duration_seconds',
    'Time from a request to its answer, by route (empty: there is no such route) and status',
    SECONDS,
    ['http_request_method', 'http_route', 'http_response_status_code'],
  );
  /** A few dozen: each route with each of its answers. */
  const series = new Map<string, Observed>();
  return {
    onResponse: ({ method, routeOptions }: FastifyRequest, { statusCode, elapsedTime }: FastifyReply): void => {
      const route = routeOptions.url ?? '';
      const key = `${statusCode}${method} ${route}`;
      let found = series.get(key);
      if (found === undefined) {
        found = durations.series({
          http_request_method: methodLabel(method),
          http_route: route,
          http_response_status_code: String(statusCode),
        });
        series.set(key, found);
      }
      found.observe(elapsedTime / 1_000);
    },
  };
};
