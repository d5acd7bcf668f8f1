import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describeBroker, readConfig } from '#kafka_common/config.ts';
import { createBroker } from '#kafka_common/kafka_factory.ts';
import { startCheckpoints } from '#service_common/sqlite/checkpoints.ts';
import { closeHttpApp, listen } from '#service_common/http/http_app.ts';
import { runService } from '#service_common/run_service.ts';
import { presentEvent } from '#order_service/app/api/events_stream.ts';
import { createOrderApp } from '#order_service/app/app.ts';
import { whyNotReady } from '#order_service/app/readiness.ts';
import { createSqliteConsumerDb, VIEW_FILE } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import { createConsumerMetrics } from '#order_service/telemetry/consumer_metrics.ts';
import { createConsumerRunner } from './consumer_runner.ts';
import { createEventFeed } from '#order_service/live/event_feed.ts';
import { createFlow } from '#order_service/live/flow.ts';
import { createOrderWaiters } from '#order_service/live/order_waiters.ts';
import { createRedriver } from '#order_service/redrive/redrive.ts';
import { tellOfTransactions } from '#order_service/telemetry/transaction_observers.ts';
import { claimView } from '#order_service/store/sqlite/view_files.ts';

/** Requests that may wait for an order at once; one more is answered without waiting. */
const MAX_WAITERS = 1_000;
/** About 25 KB each. */
const MAX_SUBSCRIBERS = 2_000;
/** Of the five seconds that stopping may take, the share of the requests inside. */
const DRAIN_MS = 3_000;

await runService('order-service', readConfig, async (config, logger, tracing) => {
  logger.info({ broker: describeBroker(config), dataDir: config.dataDir }, 'starting');
  const metrics = new Registry();
  const releaseView = claimView(config.dataDir, logger);
  const db = createSqliteConsumerDb({ directory: config.dataDir });
  const checkpoints = startCheckpoints([join(config.dataDir, VIEW_FILE)]);
  const broker = await createBroker(config, 'order-service');
  const waiters = createOrderWaiters({ limit: MAX_WAITERS });
  const feed = createEventFeed({ db, present: presentEvent, limit: MAX_SUBSCRIBERS });
  const runner = createConsumerRunner({
    broker,
    db,
    topic: config.ordersTopic,
    group: config.consumerGroup,
    memberId: config.consumerMemberId,
    logger,
    now: Date.now,
    onApplied: (applied) => {
      waiters.arrived(applied.orderIds);
      flow.applied(applied);
      feed.changed();
      onApplied(applied);
      for (const tell of told) tell(applied);
    },
  });
  const { ordersTopic: topic, consumerGroup: group } = config;
  const told = tellOfTransactions({ logger, tracing, topic, group });
  const { onApplied } = createConsumerMetrics({
    registry: metrics,
    db,
    topic,
    group,
    status: runner.status,
    now: Date.now,
  });
  const flow = createFlow({ db, broker, status: runner.status, reasonFor: whyNotReady, topic, group, now: Date.now });
  const seconds = setInterval(() => {
    flow.tick();
    if (feed.hasFlowSubscribers) void flow.state('last').then(feed.sendFlow, () => {});
  }, 1_000);
  const app = await createOrderApp({
    db,
    waiters,
    feed,
    flow,
    redriver: createRedriver({ db, broker, topic }),
    runnerStatus: runner.status,
    topic,
    logger,
    metrics,
    tracing,
    settings: config.settings,
    cartUrl: config.consoleCartUrl,
    now: Date.now,
  });
  const url = await listen(app, config.host, config.orderPort, 'ORDER_PORT');
  runner.start();

  return {
    url,
    async close() {
      clearInterval(seconds);
      await Promise.all([closeHttpApp(app, DRAIN_MS), runner.stop()]);
      await checkpoints.stop();
      await broker.close();
      await db.close();
      releaseView();
    },
  };
});
