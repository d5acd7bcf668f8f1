import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { readConfig, type SettingInForce } from '#kafka_common/config.ts';
import { check, type Readiness } from '#service_common/http/health.ts';
import { createHttpApp, type HttpApp } from '#service_common/http/http_app.ts';
import type { Tracing } from '#service_common/telemetry/tracing.ts';
import type { ViewQueries } from '#order_service/consumer_db.ts';
import { type RunnerStatus, whyNotReady } from '#order_service/consuming/runner_status.ts';
import type { EventFeed } from '#order_service/live/event_feed.ts';
import type { Flow } from '#order_service/live/flow.ts';
import type { OrderWaiters } from '#order_service/live/order_waiters.ts';
import type { Redriver } from '#order_service/redrive/redrive.ts';
import { addConsoleRoutes } from '#order_service/app/api/console_routes.ts';
import { createFindOrder } from '#order_service/app/api/find_order.ts';
import { addOperatorRoutes } from '#order_service/app/api/operator_routes.ts';
import { addOrderResourceRoutes } from '#order_service/app/api/order_resource_routes.ts';
import { addOrderRoutes } from '#order_service/app/api/routes.ts';
import { addStreamRoutes } from '#order_service/app/api/stream_routes.ts';

export interface OrderAppParts {
  readonly db: ViewQueries;
  readonly waiters: OrderWaiters;
  readonly redriver: Redriver;
  readonly feed: EventFeed;
  readonly flow: Flow;
  readonly runnerStatus: () => RunnerStatus;
  /** The topic that is consumed. */
  readonly topic: string;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly settings: readonly SettingInForce[];
  readonly tracing?: Tracing | null;
  /** Where the console's browser reaches the Cart Service. */
  readonly cartUrl: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The Order Service's HTTP side; it does not listen yet. */
export const createOrderApp = async (parts: OrderAppParts): Promise<HttpApp> => {
  const app = await createHttpApp({
    name: 'Order Service',
    description: 'Keeps a view of every order, made from the events of the topic, and answers reads from it.',
    port: readConfig({}).orderPort,
    tags: {
      orders: 'What clients ask about orders',
      operations: 'What operators look at, and set right',
    },
    logger: parts.logger,
    metrics: parts.metrics,
    settings: parts.settings,
    tracing: parts.tracing ?? null,
    readiness: () => readinessOf(parts.runnerStatus()),
  });
  const findOrder = createFindOrder(parts);
  addOrderRoutes(app, { ...parts, findOrder });
  addOrderResourceRoutes(app, { ...parts, findOrder });
  addOperatorRoutes(app, parts);
  addStreamRoutes(app, parts);
  await addConsoleRoutes(app, parts);
  app.addHook('preClose', async () => {
    parts.waiters.close();
    parts.feed.close();
  });
  return app;
};

/** Reads are answered all the time; ready means that they are up to date. */
const readinessOf = (status: RunnerStatus): Readiness => {
  const { state, storeFailure } = status;
  const reason = whyNotReady(status);
  const notConsuming = state === 'consuming' ? null : reason;
  return {
    ready: reason === null,
    reason,
    ...status,
    checks: [
      check('broker', state === 'starting' || state === 'reconnecting' ? notConsuming : null),
      check('topic', state === 'waiting_for_topic' ? notConsuming : null),
      // Also without a partition, where there are more instances than partitions.
      check('assignment', notConsuming),
      check('store', storeFailure),
    ],
  };
};
