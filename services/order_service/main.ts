import { Registry } from 'prom-client';
import { describeBroker, readConfig } from '#kafka_common/config.ts';
import { createBroker } from '#kafka_common/kafka_factory.ts';
import { closeHttpApp, listen } from '#service_common/http/http_app.ts';
import { runService } from '#service_common/run_service.ts';
import { watchWarnings } from '#order_service/consuming/watch_warnings.ts';
import { presentEvent } from '#order_service/app/api/events_stream.ts';
import { createOrderApp } from '#order_service/app/app.ts';
import { createEventFeed } from '#order_service/live/event_feed.ts';
import { createFlow } from '#order_service/live/flow.ts';
import { countSeconds } from '#order_service/live/flow_seconds.ts';
import { createFlowSamples } from '#order_service/live/flow_samples.ts';
import { createOrderWaiters } from '#order_service/live/order_waiters.ts';
import { createViewWatch } from '#order_service/live/view_watch.ts';
import { createRedriver } from '#order_service/redrive/redrive.ts';
import { createRedriveProof } from '#order_service/redrive/redrive_proof.ts';
import { openOrderStore } from '#order_service/store/consumer_db_factory.ts';
import { logTransactions } from '#order_service/telemetry/apply_log.ts';
import { createApplyMetrics } from '#order_service/telemetry/apply_metrics.ts';
import { traceTransactions } from '#order_service/telemetry/apply_tracing.ts';
import { addRunnerMetrics, addViewMetrics } from '#order_service/telemetry/consumer_metrics.ts';
import { createConsumerRunner } from './consumer_runner.ts';

/** Requests that may wait for an order at once. One more is answered without waiting. */
const MAX_WAITERS = 1_000;
/** About 25 KB each. */
const MAX_SUBSCRIBERS = 2_000;
/** The requests inside have so much of the five seconds that stopping may take. */
const DRAIN_MS = 3_000;

await runService('order-service', readConfig, async (config, logger, tracing) => {
  const { ordersTopic: topic, consumerGroup: group, database, dataDir } = config;
  const now = Date.now;
  const store = database === null ? { dataDir } : { database: database.text };
  logger.info({ broker: describeBroker(config), ...store }, 'starting');
  const metrics = new Registry();
  const { db, redriveKey } = await openOrderStore(config, logger);
  const redriveProof = createRedriveProof(redriveKey);
  const broker = await createBroker(config, 'order-service', logger);

  const watch = createViewWatch({ db });
  const waiters = createOrderWaiters({ limit: MAX_WAITERS, db, watch });
  const feed = createEventFeed({ db, watch, present: presentEvent, limit: MAX_SUBSCRIBERS });
  const samples = createFlowSamples({ now });
  const runner = createConsumerRunner({
    broker,
    db,
    topic,
    group,
    memberId: config.consumerMemberId,
    logger,
    now,
    redriveProof,
    observers: [
      ({ orderIds }) => waiters.arrived(orderIds),
      samples.observe,
      feed.changed,
      createApplyMetrics({ registry: metrics, topic, group, now }),
      logTransactions(logger),
      ...(tracing === null ? [] : [traceTransactions(tracing, topic, group)]),
    ],
  });
  addViewMetrics({ registry: metrics, db, now });
  const stopping = new AbortController();
  const { signal } = stopping;
  const { status } = runner;
  const { warnings, unreadPartitions } = watchWarnings({ broker, db, topic, group, status, logger, now, signal });
  addRunnerMetrics({ registry: metrics, topic, status, unreadPartitions });
  const flow = createFlow({ db, broker, samples, status, warnings, topic, group });
  countSeconds({ samples, feed, flow }, signal);

  const app = await createOrderApp({
    db,
    waiters,
    feed,
    flow,
    redriver: createRedriver({ db, broker, topic, proof: redriveProof }),
    runnerStatus: status,
    warnings,
    topic,
    logger,
    metrics,
    tracing,
    settings: config.settings,
    cartUrl: config.consoleCartUrl,
    now,
  });
  const url = await listen(app, config.host, config.orderPort, 'ORDER_PORT');
  runner.start();

  return {
    url,
    async close() {
      stopping.abort();
      await Promise.all([closeHttpApp(app, DRAIN_MS), runner.stop()]);
      await broker.close();
      await db.close();
    },
  };
});
