import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '#kafka_common/broker.ts';
import { record } from '#tests/support/events.ts';
import { createOwnedPartitions } from './owned_partitions.ts';

const TOPIC = { name: 't', id: 'topic-1', partitions: 5 };

test('partitions that had records go behind the others, so that none starves', async () => {
  const options = { startAt: async () => new Map<number, number>(), onBatch: async () => {} };
  const owned = createOwnedPartitions(TOPIC, options, async () => 0, new AbortController().signal);
  const order = (): number[] => owned.all().map(({ partition }) => partition);
  await owned.assign([0, 1, 2, 3]);
  assert.deepEqual(order(), [0, 1, 2, 3]);

  /** Handles the answer to a fetch that has room for the records of two partitions. */
  const fetch = async (): Promise<void> => {
    const answers = owned.all().map((partition, n) => {
      const records = n < 2 ? [record('{', { offset: partition.next })] : [];
      const batch: Batch = { topic: TOPIC, partition: partition.partition, records, next: partition.next + 1, end: 99 };
      return owned.handle(partition, batch);
    });
    await Promise.all(answers);
  };
  await fetch();
  assert.deepEqual(order(), [2, 3, 0, 1]);
  await fetch();
  assert.deepEqual(order(), [0, 1, 2, 3]);

  await fetch();
  await owned.assign([0, 2, 3, 4]);
  assert.deepEqual(order(), [2, 3, 0, 4]);
});
