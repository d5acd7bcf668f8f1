import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { describeBroker, readConfig } from '#kafka_common/config.ts';
import { createBroker } from '#kafka_common/kafka_factory.ts';
import { watchTopicSafety } from '#kafka_common/topic_safety.ts';
import { closeHttpApp, listen } from '#service_common/http/http_app.ts';
import { runService } from '#service_common/run_service.ts';
import { createCartApp } from '#cart_service/app/app.ts';
import { openCartStore } from '#cart_service/store/cart_store_factory.ts';
import { watchStore } from '#cart_service/store/watched_store.ts';
import { logPublishes } from '#cart_service/telemetry/publish_log.ts';
import { tracePublishes } from '#cart_service/telemetry/publish_tracing.ts';
import { addPublisherGauges } from '#cart_service/telemetry/publisher_gauges.ts';
import { createPublisherMetrics } from '#cart_service/telemetry/publisher_metrics.ts';
import { createPublisher } from './publisher.ts';

/** Stopping may take five seconds. This is the part for the requests that still wait. */
const DRAIN_MS = 2_500;

await runService('cart-service', readConfig, async (config, logger, tracing) => {
  const { database, dataDir } = config;
  const place = database === null ? { dataDir } : { database: database.text };
  logger.info({ broker: describeBroker(config), ...place }, 'starting');
  const { ordersTopic: topic, queueLimit } = config;
  const registry = new Registry();
  const metrics = createPublisherMetrics(registry, topic);
  const broker = await createBroker(config, 'cart-service', logger);
  const { store, failure: storeFailure } = watchStore(
    await openCartStore(config, logger),
    metrics.onTransaction,
    logger,
  );
  const publisher = await createPublisher({
    broker,
    store,
    topic,
    partitions: config.topicPartitions,
    requestDeadlineMs: config.requestDeadlineMs,
    queueLimit,
    logger,
    circumstances: () => ({ now: Date.now(), newId: randomUUID, random: Math.random }),
    observers: [
      metrics.onPublish,
      ...(tracing === null ? [] : [tracePublishes(tracing, topic)]),
      ...(logger.isLevelEnabled('debug') ? [logPublishes(logger)] : []),
    ],
  });
  addPublisherGauges({ registry, queueLimit, status: publisher.status, storeFailure, now: Date.now });
  const stopping = new AbortController();
  const app = await createCartApp({
    warnings: watchTopicSafety({ broker, topic, logger, signal: stopping.signal }),
    publisher: { ...publisher, submit: metrics.countAnswers(publisher.submit) },
    storeFailure,
    logger,
    metrics: registry,
    tracing,
    settings: config.settings,
    consoleOrigins: config.consoleOrigins,
  });
  const url = await listen(app, config.host, config.cartPort, 'CART_PORT');

  return {
    url,
    async close() {
      stopping.abort();
      // Waiting requests go on as usual. Those that Kafka holds up are answered when the time is over.
      const deadline = performance.now() + DRAIN_MS;
      const closed = closeHttpApp(app, DRAIN_MS + 300);
      await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })]);
      // `localhost` has two addresses. Fastify does not wait for the requests of the second one.
      await publisher.close(Math.max(0, deadline - performance.now()));
      await closed;
      await store.close();
      await broker.close();
    },
  };
});
