import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { readConfig } from '#kafka_common/config.ts';
import type { SettingInForce } from '#service_common/config.ts';
import { createHttpApp } from '#service_common/http/create_http_app.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import type { Tracing } from '#service_common/telemetry/tracing.ts';
import type { ViewQueries } from '#order_service/consumer_db.ts';
import type { RunnerStatus } from '#order_service/consuming/runner_status.ts';
import type { EventFeed } from '#order_service/live/event_feed.ts';
import type { Flow } from '#order_service/live/flow.ts';
import type { OrderWaiters } from '#order_service/live/order_waiters.ts';
import type { Redriver } from '#order_service/redrive/redrive.ts';
import { addConsoleFiles } from './api/console_files.ts';
import { addDeadLetters } from './api/dead_letters.ts';
import { addEventsStream } from './api/events_stream.ts';
import { createFindOrder } from './api/find_order.ts';
import { addFlow } from './api/flow.ts';
import { addOrderHistory } from './api/order_history.ts';
import { addOrders } from './api/orders.ts';
import { addPendingStatuses } from './api/pending_statuses.ts';
import { addOrderRoutes } from './api/routes.ts';
import { readinessOf } from './readiness.ts';

export interface OrderAppParts {
  readonly db: ViewQueries;
  readonly waiters: OrderWaiters;
  readonly redriver: Redriver;
  readonly feed: EventFeed;
  readonly flow: Flow;
  readonly runnerStatus: () => RunnerStatus;
  /** What a person should know, though the service can do its work. */
  readonly warnings: () => readonly string[];
  /** The topic that is consumed. */
  readonly topic: string;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly settings: readonly SettingInForce[];
  readonly tracing?: Tracing | null;
  /** The URL at which the browser of the console reaches the Cart Service. */
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
      orders: 'What clients read about orders',
      operations: 'What operators look at and repair',
    },
    logger: parts.logger,
    metrics: parts.metrics,
    settings: parts.settings,
    tracing: parts.tracing ?? null,
    readiness: () => readinessOf(parts.runnerStatus(), parts.warnings()),
  });
  const findOrder = createFindOrder(parts);
  addOrderRoutes(app, { ...parts, findOrder });
  addOrders(app, { ...parts, findOrder });
  addOrderHistory(app, parts);
  addDeadLetters(app, parts);
  addPendingStatuses(app, parts);
  addFlow(app, parts);
  addEventsStream(app, parts);
  await addConsoleFiles(app, parts);
  app.addHook('preClose', async () => {
    parts.waiters.close();
    parts.feed.close();
  });
  return app;
};
