import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchOf, created } from '#tests/support/events.ts';
import { createApplyQueue, type Part } from './apply_queue.ts';

const events = (count: number) => Array.from({ length: count }, (_, n) => created(`ORD-${n}`));

const shapes = (parts: readonly Part[]) =>
  parts.map(({ partition, records, from, next, isLastOfBatch }) => [
    partition,
    records.length,
    from,
    next,
    isLastOfBatch,
  ]);

describe('the queue of batches', () => {
  test('gives parts of several partitions, up to the limit, and then the rest', async () => {
    const queue = createApplyQueue(4);
    const done = [queue.push(batchOf(0, 10, events(3)), null), queue.push(batchOf(1, 0, events(2)), 0)];
    assert.deepEqual(shapes(queue.take()), [
      [0, 3, null, 13, true],
      [1, 1, 0, 1, false],
    ]);
    queue.applied();
    await done[0];
    assert.deepEqual(shapes(queue.take()), [[1, 1, 1, 2, true]]);
    queue.applied();
    await done[1];
    assert.ok(queue.isEmpty);
  });

  test('gives no part of a batch for which there is no room, so that none of its records is passed over', () => {
    const queue = createApplyQueue(3);
    assert.equal(queue.isEmpty, true);
    void queue.push(batchOf(0, 0, events(3)), null);
    void queue.push(batchOf(1, 0, events(2)), null);
    assert.equal(queue.isEmpty, false);
    assert.deepEqual(shapes(queue.take()), [[0, 3, null, 3, true]]);
    queue.applied();
    assert.deepEqual(shapes(queue.take()), [[1, 2, null, 2, true]]);
  });

  test('gives one part of each partition, and a batch without records too', () => {
    const queue = createApplyQueue(100);
    void queue.push({ ...batchOf(0, 0, []), next: 7 }, null);
    void queue.push(batchOf(0, 7, events(1)), 7);
    assert.deepEqual(shapes(queue.take()), [[0, 0, null, 7, true]]);
    queue.applied();
    assert.deepEqual(shapes(queue.take()), [[0, 1, 7, 8, true]]);
  });

  test('refuses the batches of a transaction, and keeps those that came later', async () => {
    const queue = createApplyQueue(100);
    const refused = queue.push(batchOf(0, 0, events(1)), null);
    queue.take();
    void queue.push(batchOf(0, 1, events(1)), 1);
    queue.refused(new TypeError('a fault'));
    await assert.rejects(refused, TypeError);
    assert.deepEqual(shapes(queue.take()), [[0, 1, 1, 2, true]]);
  });
});
