import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, type Registry } from 'prom-client';
import type { Readiness } from '#service_common/http/health.ts';
import { createMetrics, type Observed, SECONDS } from './metrics.ts';

/** The methods that a label may have, by the semantic conventions of OpenTelemetry; a client can send any. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);

export const methodLabel = (method: string): string => (METHODS.has(method) ? method : '_OTHER');

/** What every service tells of its requests, of its process, and of whether it can do its work. */
export const createHttpMetrics = (registry: Registry, readiness: () => Readiness) => {
  collectDefaultMetrics({ register: registry });
  const metrics = createMetrics(registry);
  metrics.gauge('order_events_ready', '1 where the service can do its work now, as `GET /health/ready` says', () =>
    readiness().ready ? 1 : 0,
  );
  metrics.gauges(
    'order_events_check_ok',
    '1 where this thing that the service needs is there, as the `checks` of `GET /health/ready` say',
    ['check'],
    () => readiness().checks.map(({ name, ok }) => [{ check: name }, ok ? 1 : 0]),
  );
  const durations = metrics.histogram(
    'http_server_request_duration_seconds',
    'Time from a request to its answer, by route (empty: there is no such route) and status',
    SECONDS,
    ['http_request_method', 'http_route', 'http_response_status_code'],
  );
  /** A few dozen: routes and what they answer. */
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
