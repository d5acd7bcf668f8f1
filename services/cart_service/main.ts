import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { describeBroker, readConfig } from '#kafka_common/config.ts';
import { EMBEDDED_LOG_FILE } from '#kafka_common/embedded/log.ts';
import { createBroker } from '#kafka_common/kafka_factory.ts';
import { startCheckpoints } from '#service_common/sqlite/checkpoints.ts';
import { closeHttpApp, listen } from '#service_common/http/http_app.ts';
import { runService } from '#service_common/run_service.ts';
import { createCartApp } from '#cart_service/app/app.ts';
import { CART_STORE_FILE, createSqliteCartStore } from '#cart_service/store/sqlite_cart_store.ts';
import { createPublisher } from './publisher.ts';
import { createPublisherMetrics } from '#cart_service/telemetry/publisher_metrics.ts';
import { tellOfPublishes } from '#cart_service/telemetry/publish_observers.ts';
import { watchStore } from '#cart_service/store/watched_store.ts';

/** Of the five seconds that stopping may take, the share of the requests inside. */
const DRAIN_MS = 2_500;

await runService('cart-service', readConfig, async (config, logger, tracing) => {
  logger.info({ broker: describeBroker(config), dataDir: config.dataDir }, 'starting');
  const metrics = new Registry();
  const { store, failure: storeFailure } = watchStore(createSqliteCartStore({ directory: config.dataDir }), (seconds) =>
    onTransaction(seconds),
  );
  const broker = await createBroker(config, 'cart-service');
  const written = config.kafkaBootstrapServers.length > 0 ? [CART_STORE_FILE] : [CART_STORE_FILE, EMBEDDED_LOG_FILE];
  const checkpoints = startCheckpoints(written.map((name) => join(config.dataDir, name)));
  const told = tellOfPublishes({ logger, tracing, topic: config.ordersTopic });
  const { onPublish, onTransaction, countAnswers } = createPublisherMetrics({
    registry: metrics,
    topic: config.ordersTopic,
    queueLimit: config.queueLimit,
    status: () => publisher.status(),
    storeFailure,
    now: Date.now,
  });
  const publisher = await createPublisher({
    broker,
    store,
    topic: config.ordersTopic,
    partitions: config.topicPartitions,
    requestDeadlineMs: config.requestDeadlineMs,
    queueLimit: config.queueLimit,
    logger,
    circumstances: () => ({ now: Date.now(), newId: randomUUID, random: Math.random }),
    onPublish(publish) {
      onPublish(publish);
      for (const tell of told) tell(publish);
    },
  });
  const app = await createCartApp({
    publisher: { ...publisher, submit: countAnswers(publisher.submit) },
    storeFailure,
    logger,
    metrics,
    tracing,
    settings: config.settings,
    consoleOrigins: config.consoleOrigins,
  });
  const url = await listen(app, config.host, config.cartPort, 'CART_PORT');

  return {
    url,
    async close() {
      // Requests inside go on as ever; those that Kafka holds up are answered when their time is over.
      const deadline = performance.now() + DRAIN_MS;
      const closed = closeHttpApp(app, DRAIN_MS + 300);
      await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })]);
      // Fastify does not wait for the second of the addresses that `localhost` has: those requests are inside still.
      await publisher.close(Math.max(0, deadline - performance.now()));
      await closed;
      await checkpoints.stop();
      await broker.close();
      await store.close();
    },
  };
});
