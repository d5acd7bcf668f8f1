/**
 * One consumer of a topic, from its start to its end, in its own process:
 *
 * - `apply`: the Order Service's runner and store
 * - `parse`: the least that a consumer with the same client must do: it parses each value, and forgets it
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pino from 'pino';
import type { Batch } from '../libs/kafka_common/broker.ts';
import { createKafkaBroker } from '../libs/kafka_common/kafka/kafka_broker.ts';
import { startCheckpoints } from '../libs/service_common/sqlite/checkpoints.ts';
import { createSqliteConsumerDb } from '../services/order_service/store/sqlite/sqlite_consumer_db.ts';
import { VIEW_FILE } from '../services/order_service/store/sqlite/tables.ts';
import { createConsumerRunner } from '../services/order_service/consumer_runner.ts';
import { REDRIVE_PROOF } from '../tests/support/redrive_proof.ts';
import type { ConsumeJob, ConsumeReport } from './consume.ts';

const job = JSON.parse(process.argv[2] ?? '') as ConsumeJob;
const logger = pino({ level: 'warn' });
const broker = createKafkaBroker({ bootstrapServers: job.bootstrapServers.split(','), clientId: 'bench' });
const db = createSqliteConsumerDb({ directory: job.directory });
const over = Promise.withResolvers<void>();
let events = 0;
let startedAt = 0;
let endedAt = 0;
let cpu = process.cpuUsage();

/** Measures from the first batch, which comes after joining the group, until all events are handled. */
const timed =
  (handle: (batch: Batch) => Promise<void> | void) =>
  async (batch: Batch): Promise<void> => {
    if (startedAt === 0) {
      startedAt = performance.now();
      cpu = process.cpuUsage();
    }
    await handle(batch);
    events += batch.records.length;
    if (events < job.events || endedAt > 0) return;
    endedAt = performance.now();
    cpu = process.cpuUsage(cpu);
    over.resolve();
  };

const apply = (): void => {
  startCheckpoints([join(job.directory, VIEW_FILE)]);
  createConsumerRunner({
    broker: { ...broker, consume: (options) => broker.consume({ ...options, onBatch: timed(options.onBatch) }) },
    db,
    topic: job.topic,
    group: randomUUID(),
    memberId: 'bench',
    logger,
    now: Date.now,
    redriveProof: REDRIVE_PROOF,
  }).start();
};

const parse = (): void => {
  const onBatch = timed(({ records }) => {
    for (const { value } of records) if (value !== null) JSON.parse(value.toString());
  });
  const membership = { topic: job.topic, group: randomUUID(), memberId: 'bench' };
  broker
    .consume({ ...membership, startAt: async () => new Map(), onBatch, signal: new AbortController().signal })
    .catch(over.reject);
};

if (job.how === 'apply') apply();
else parse();
await over.promise;
const seconds = (endedAt - startedAt) / 1_000;
const report: ConsumeReport = {
  perSecond: events / seconds,
  cpuUs: (cpu.user + cpu.system) / events,
  orders: (await db.counts()).orders,
};
process.send?.(report, () => process.exit(0));
