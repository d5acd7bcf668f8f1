import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Batch } from '#kafka_common/broker.ts';
import { record } from '#tests/support/events.ts';
import { createOwnedPartitions, type OwnedPartition } from './owned_partitions.ts';

const TOPIC = { name: 't', id: 'topic-1', partitions: 5 };

const batchAt = (partition: number, next: number): Batch => ({
  topic: TOPIC,
  partition,
  records: [record('{', { offset: next - 1 })],
  next,
  end: 99,
});

/** @param starts the positions to start from, by partition @param earliest the first offset that the log holds */
const scene = (starts: readonly (readonly [partition: number, next: number])[] = [], earliest = 0) => {
  const stopping = new AbortController();
  const handled: Batch[] = [];
  const lost: unknown[] = [];
  const asked: unknown[] = [];
  const hooks: { onBatch: (batch: Batch) => Promise<void> } = { onBatch: () => Promise.resolve() };
  const owned = createOwnedPartitions(
    TOPIC,
    {
      startAt: (...args) => {
        asked.push(args);
        return Promise.resolve(new Map(starts));
      },
      onBatch: (batch) => {
        handled.push(batch);
        return hooks.onBatch(batch);
      },
      onPositionLost: (position) => void lost.push(position),
    },
    () => Promise.resolve(earliest),
    stopping.signal,
  );
  const only = (): OwnedPartition => owned.all()[0] ?? assert.fail('no partition is owned');
  return { owned, stopping, handled, lost, asked, hooks, only };
};

describe('a partition that was assigned', () => {
  test('starts where it is asked to, before any commit', async () => {
    const { owned, asked, lost } = scene([[3, 7]]);
    await owned.assign([3]);
    assert.deepEqual(owned.all(), [{ partition: 3, next: 7, committed: null, handling: false }]);
    assert.deepEqual([asked, lost], [[[TOPIC, [3]]], []]);
  });

  for (const [earliest, lost] of [
    [0, []],
    [4, [{ partition: 1, wanted: 0, resumedAt: 4 }]],
  ] as const) {
    test(`without a position starts at the earliest record, ${earliest}, and says what is lost`, async () => {
      const found = scene([], earliest);
      await found.owned.assign([1]);
      assert.deepEqual([found.only().next, found.lost], [earliest, lost]);
    });
  }

  test('is asked about only if it is new, and keeps its position', async () => {
    const { owned, asked } = scene();
    await owned.assign([1]);
    const [before] = owned.all();
    await owned.assign([1]);
    await owned.assign([1, 2]);
    assert.deepEqual(asked, [
      [TOPIC, [1]],
      [TOPIC, [2]],
    ]);
    assert.equal(owned.all()[0], before);
  });

  test('is asked about after the batches in hand, and not at all while consuming stops', async () => {
    const { owned, asked, hooks, only, stopping } = scene();
    await owned.assign([1]);
    const end = Promise.withResolvers<void>();
    hooks.onBatch = () => end.promise;
    const handling = owned.handle(only(), batchAt(1, 1));
    const assigned = owned.assign([2]);
    await new Promise((resolve) => void setImmediate(resolve));
    assert.equal(asked.length, 1);
    stopping.abort();
    end.resolve();
    await Promise.all([handling, assigned]);
    assert.deepEqual([asked.length, owned.all()], [1, []]);
  });

  test('is forgotten with all others', async () => {
    const { owned } = scene();
    await owned.assign([1, 2]);
    owned.forgetAll();
    assert.deepEqual(owned.all(), []);
  });
});

describe('a batch', () => {
  test('moves its partition once it is handled', async () => {
    const { owned, hooks, only } = scene();
    await owned.assign([1]);
    const end = Promise.withResolvers<void>();
    hooks.onBatch = () => end.promise;
    const handling = owned.handle(only(), batchAt(1, 5));
    assert.deepEqual([only().next, only().handling], [0, true]);
    let isDone = false;
    const done = owned.batchesDone().then(() => (isDone = true));
    await new Promise((resolve) => void setImmediate(resolve));
    assert.equal(isDone, false);
    end.resolve();
    await handling;
    await done;
    assert.deepEqual([only().next, only().handling], [5, false]);
  });

  test('that fails does not move it, and ends with the error', async () => {
    const { owned, hooks, only } = scene();
    await owned.assign([1]);
    hooks.onBatch = () => Promise.reject(new Error('a fault'));
    await assert.rejects(owned.handle(only(), batchAt(1, 5)), /a fault/);
    assert.equal(only().next, 0);
    await owned.batchesDone();
  });

  test('is not handled once consuming stops, or its partition was lost, also if it was regained', async () => {
    const { owned, handled, only, stopping } = scene();
    await owned.assign([1]);
    const former = only();
    await owned.assign([]);
    await owned.handle(former, batchAt(1, 5));
    await owned.assign([1]);
    await owned.handle(former, batchAt(1, 5));
    stopping.abort();
    await owned.handle(only(), batchAt(1, 5));
    assert.deepEqual([handled, only().next], [[], 0]);
  });
});

test('a partition whose position the log does not hold goes on from the earliest record', async () => {
  const { owned, only, lost } = scene([[1, 7]], 30);
  await owned.assign([1]);
  await owned.resumeFromEarliest(only());
  assert.deepEqual([only().next, lost], [30, [{ partition: 1, wanted: 7, resumedAt: 30 }]]);
});
