import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  Admin,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  type IncrementalAlterConfigsOptions,
} from '@platformatic/kafka';
import type { Stage } from './fault.ts';

/**
 * Makes the broker reject every event, so that each is certainly not written. Everything else works as before.
 * @returns a function that makes it accept events again
 */
export const refuseEvents = (stage: Stage): Promise<() => Promise<void>> =>
  stage.kafka.length > 0 ? allowNothing(stage) : lockLog(stage);

/** Kafka: the topic accepts records of at most one byte. */
const allowNothing = async ({ kafka, topic }: Stage): Promise<() => Promise<void>> => {
  const bootstrapBrokers = kafka.map(({ bootstrapServers }) => bootstrapServers);
  const name = 'max.message.bytes';
  const { SET, DELETE } = IncrementalAlterConfigOperationTypes;
  await changeTopic(bootstrapBrokers, topic, { name, configOperation: SET, value: '1' });
  return () => changeTopic(bootstrapBrokers, topic, { name, configOperation: DELETE });
};

type Change = IncrementalAlterConfigsOptions['resources'][number]['configs'][number];

const changeTopic = async (bootstrapBrokers: string[], topic: string, change: Change): Promise<void> => {
  const admin = new Admin({ clientId: 'fault-lab', bootstrapBrokers, connectTimeout: 5_000, requestTimeout: 5_000 });
  try {
    await admin.incrementalAlterConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs: [change] }],
    });
  } finally {
    await admin.close();
  }
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
