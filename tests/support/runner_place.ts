import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteConsumerDb } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import { type ConsumerRunnerOptions, createConsumerRunner } from '#order_service/consumer_runner.ts';
import type { RetryDelays } from '#order_service/consuming/consuming_state.ts';
import { REDRIVE_PROOF } from './redrive_proof.ts';
import { createTestLog } from './test_log.ts';

export const TOPIC = 'orders.events';
export const GROUP = 'order-service';
export const NO_DELAYS: RetryDelays = {
  topicMissing: 1,
  topicChanged: () => 0,
  reconnect: () => 1,
  fenced: 1,
  store: () => 1,
};

/** A folder with an empty view, and runners on it. `remove` stops the runners first. */
export const createRunnerPlace = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'consumer-runner-'));
  const db = createSqliteConsumerDb({ directory });
  const cleanups = [() => rm(directory, { recursive: true }), () => db.close()];
  return {
    directory,
    db,
    /** `remove` calls `cleanup`; the last one given comes first. */
    defer: (cleanup: () => Promise<void>): void => void cleanups.push(cleanup),
    startRunner: (broker: ConsumerRunnerOptions['broker'], changes: Partial<ConsumerRunnerOptions> = {}) => {
      const { logger, lines } = createTestLog();
      const runner = createConsumerRunner({
        broker,
        db,
        topic: TOPIC,
        group: GROUP,
        memberId: 'order-1',
        logger,
        now: Date.now,
        redriveProof: REDRIVE_PROOF,
        delays: NO_DELAYS,
        ...changes,
      });
      runner.start();
      cleanups.push(runner.stop);
      return { runner, lines };
    },
    remove: async (): Promise<void> => {
      for (const cleanup of cleanups.toReversed()) await cleanup();
    },
  };
};
