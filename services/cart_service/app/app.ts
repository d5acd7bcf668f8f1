import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { readConfig } from '#kafka_common/config.ts';
import type { SettingInForce } from '#service_common/config.ts';
import { check, type Readiness } from '#service_common/http/health.ts';
import { createHttpApp } from '#service_common/http/create_http_app.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import type { Tracing } from '#service_common/telemetry/tracing.ts';
import { addOrderRoutes } from '#cart_service/app/api/routes.ts';
import type { Publisher, PublisherStatus } from '#cart_service/publisher.ts';
import { allowConsole } from './console_access.ts';

/** The Cart Service's HTTP side; it does not listen yet. */
export const createCartApp = async (parts: {
  publisher: Pick<Publisher, 'submit' | 'status'>;
  /** Why the last transaction of the store failed; null if it did not. */
  storeFailure: () => string | null;
  /** What a person should know, though the service can do its work. */
  warnings: () => readonly string[];
  logger: Logger;
  metrics: Registry;
  settings: readonly SettingInForce[];
  tracing?: Tracing | null;
  /** The origins whose pages may call this service. */
  consoleOrigins: readonly string[];
}): Promise<HttpApp> => {
  const app = await createHttpApp({
    name: 'Cart Service',
    description: 'Takes orders and changes of their status, and publishes an event for each.',
    port: readConfig({}).cartPort,
    tags: {
      orders: 'What clients ask for',
      operations: 'What operators look at',
    },
    logger: parts.logger,
    metrics: parts.metrics,
    settings: parts.settings,
    tracing: parts.tracing ?? null,
    readiness: () => readinessOf(parts.publisher.status(), parts.storeFailure(), parts.warnings()),
  });
  await allowConsole(app, parts.consoleOrigins);
  addOrderRoutes(app, parts.publisher.submit);
  return app;
};

/**
 * A failing store does not make the service unready: only requests try the store again, and an unready service might get
 * none.
 */
const readinessOf = (status: PublisherStatus, storeFailure: string | null, warnings: readonly string[]): Readiness => {
  const { state, reason } = status;
  return {
    ready: state === 'open',
    ...status,
    warnings,
    oldestUnsettledAt: instantOf(status.oldestUnsettledAt),
    lastAcknowledgedAt: instantOf(status.lastAcknowledgedAt),
    checks: [
      check('broker', reason),
      check('topic', state === 'starting' ? 'the store is not level with the topic yet' : null),
      check('store', storeFailure),
      check('running', state === 'closing' ? 'the service is stopping' : null),
    ],
  };
};

const instantOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
