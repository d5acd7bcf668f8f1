import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Stage } from './fault.ts';
import { withRawTopic } from './raw_topic.ts';

/**
 * Makes the broker reject every event, so that each is certainly not written. Everything else works as before.
 * @returns a function that makes it accept events again
 */
export const refuseEvents = (stage: Stage): Promise<() => Promise<void>> =>
  stage.kafka.length > 0 ? allowNothing(stage) : lockLog(stage);

/** Kafka: the topic accepts records of at most one byte. */
const allowNothing = async (stage: Stage): Promise<() => Promise<void>> => {
  const allow = (bytes: string | null): Promise<void> =>
    withRawTopic(stage, (raw) => raw.set('max.message.bytes', bytes));
  await allow('1');
  return () => allow(null);
};

/** Embedded: this process holds the write lock of the log's file. Every publish waits for it until its time is over. */
// oxlint-disable-next-line require-await -- node:sqlite is synchronous, the seam is not
const lockLog = async ({ storeDir }: Stage): Promise<() => Promise<void>> => {
  const db = new DatabaseSync(join(storeDir, 'broker.sqlite'), { timeout: 5_000 });
  db.exec('BEGIN IMMEDIATE');
  // oxlint-disable-next-line require-await -- as above
  return async () => {
    db.exec('ROLLBACK');
    db.close();
  };
};
