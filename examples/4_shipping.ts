/**
 * Example 4: a consumer service of your own. It keeps the list of orders that wait for shipping.
 *
 * You learn:
 * - how to get settings, logs, stopping, health and metrics from the parts of the two services;
 * - how to lose and double nothing: the effect of an event and the position behind it are in one transaction;
 * - that `version` makes repetitions harmless: an event is applied only if its version is above the known one.
 *
 * Run it beside `npm start`: npm run example:shipping
 * Create and confirm an order as the README shows; http://localhost:8002/to-ship lists it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import Type from 'typebox';
import type { Batch, Topic } from '#kafka_common/broker.ts';
import { readConfig } from '#kafka_common/config.ts';
import { createBroker } from '#kafka_common/kafka_factory.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import { check } from '#service_common/http/health.ts';
import { createHttpApp } from '#service_common/http/create_http_app.ts';
import { listen } from '#service_common/http/http_app.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { runService } from '#service_common/run_service.ts';
import { openDatabase } from '#service_common/sqlite/open_database.ts';
import { inTransaction } from '#service_common/sqlite/transactions.ts';

const SCHEMA = `CREATE TABLE orders (order_id TEXT PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL) STRICT;
  CREATE TABLE positions (topic_id TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic_id, partition)) STRICT`;
const FILE = { name: 'shipping.sqlite', applicationId: 0x73686970, schemaVersion: 1, schema: SCHEMA };

await runService('shipping', readConfig, async (config, logger) => {
  const db = openDatabase({ ...FILE, directory: config.dataDir });
  const broker = await createBroker(config, 'shipping');
  const stopping = new AbortController();
  let problem: string | null = 'the consumer has not joined its group yet';

  const setStatus = db.prepare(`INSERT INTO orders VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = max(version, excluded.version), status = excluded.status
    WHERE excluded.version = 0 OR excluded.version > version`);
  const setPosition = db.prepare('INSERT OR REPLACE INTO positions VALUES (?, ?, ?)');
  const positions = db.prepare('SELECT partition, next FROM positions WHERE topic_id = ?');
  const toShip = db.prepare(
    "SELECT order_id AS orderId FROM orders WHERE status = 'confirmed' ORDER BY rowid LIMIT 1000",
  );

  const apply = ({ topic, partition, records, next }: Batch): void => {
    for (const record of records) {
      const decoded = decodeEvent(record);
      if (decoded.kind === 'invalid')
        logger.warn({ partition, offset: record.offset, reason: decoded.reason }, 'skipped');
      else if (decoded.event.type === 'ORDER_STATUS_UPDATED')
        setStatus.run(decoded.event.orderId, decoded.event.version ?? 0, decoded.event.status);
    }
    setPosition.run(topic.id, partition, next);
  };

  const startAt = async ({ id }: Topic) =>
    new Map(positions.all(id).map(({ partition, next }) => [Number(partition), Number(next)]));
  const onAssigned = (): void => void (problem = null);
  const onBatch = async (batch: Batch): Promise<void> => inTransaction(db, () => apply(batch));

  const consume = async (): Promise<void> => {
    const { signal } = stopping;
    const options = { topic: config.ordersTopic, group: 'shipping', memberId: 'shipping-1', signal };
    while (!signal.aborted) {
      await broker.consume({ ...options, startAt, onAssigned, onBatch }).catch((error: unknown) => {
        problem = reasonOf(error);
        logger.warn({ reason: problem }, 'cannot consume, trying again');
      });
      await sleep(1_000, undefined, { signal }).catch(() => {});
    }
  };

  const readiness = () => ({ ready: problem === null, reason: problem, checks: [check('broker', problem)] });
  const { settings } = config;
  const about = { name: 'Shipping', description: 'Lists what waits for shipping.', port: 8002, tags: {} };
  const app = await createHttpApp({ ...about, logger, settings, readiness, metrics: new Registry() });
  const Answer = Type.Object({ orderIds: Type.Array(Type.String()) });
  app.get('/to-ship', { schema: { response: { 200: Answer } } }, () => ({
    orderIds: toShip.all().map(({ orderId }) => String(orderId)),
  }));
  const url = await listen(app, config.host, Number(process.env['SHIPPING_PORT'] ?? 8002), 'SHIPPING_PORT');
  const consuming = consume();

  return {
    url,
    async close() {
      stopping.abort();
      await Promise.all([app.close(), consuming]);
      await broker.close();
      db.close();
    },
  };
});
