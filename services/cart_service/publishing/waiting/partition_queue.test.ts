import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import { createPartitionQueue } from './partition_queue.ts';
import type { Waiting } from './waiting_room.ts';

const waiting = (answered = false): Waiting => ({ answered }) as Waiting;
const row = (seq: number): OutboxRow => ({ seq }) as OutboxRow;

describe('the queue of a partition', () => {
  test('offers its requests in order of arrival, and keeps those that are not taken', () => {
    const queue = createPartitionQueue(0, []);
    const [first, second, third] = [waiting(), waiting(), waiting()];
    [first, second, third].forEach(queue.enqueue);
    const offered: Waiting[] = [];
    queue.offer((each) => {
      offered.push(each);
      return each === second;
    });
    assert.deepEqual(offered, [first, second, third]);
    assert.deepEqual([queue.hasRequests, queue.takeAll()], [true, [first, third]]);
    assert.deepEqual([queue.hasRequests, queue.isEmpty], [false, true]);
  });

  test('drops a request that has its answer, without offering it', () => {
    const queue = createPartitionQueue(0, []);
    queue.enqueue(waiting(true));
    queue.offer(() => assert.fail('it was offered'));
    assert.equal(queue.isEmpty, true);
  });

  test('begins with the events that the last process left, and holds each stored event until it is settled', () => {
    const [left, stored] = [row(1), row(2)];
    const queue = createPartitionQueue(0, [left]);
    queue.stored(stored);
    assert.deepEqual([queue.unsettled, queue.isEmpty], [[left, stored], false]);
    queue.settled(new Set([left]));
    assert.deepEqual(queue.unsettled, [stored]);
    queue.settled(new Set([stored]));
    assert.equal(queue.isEmpty, true);
  });
});
