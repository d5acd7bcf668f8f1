import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { createPartitionQueue, type PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { Waiting } from '#cart_service/publishing/waiting/waiting_room.ts';
import { waitingFor } from '#tests/support/cart_parts.ts';
import { create, keyed, update } from '#tests/support/cart_requests.ts';
import { createBatchTaker, type TakenBatch } from './batch_taker.ts';

const PUBLISH_TIMEOUT_MS = 1_000;

const queueOf = (waiting: readonly Waiting[], partition = 0): PartitionQueue => {
  const queue = createPartitionQueue(partition, []);
  for (const each of waiting) queue.enqueue(each);
  return queue;
};

const takerAt = (t: TestContext) => {
  const clock = { now: 10_000 };
  t.mock.method(performance, 'now', () => clock.now);
  const keysInFlight = new Set<string>();
  const late: Waiting[] = [];
  const refuseLate = (waiting: Waiting) => void late.push(waiting);
  const taker = createBatchTaker({ keysInFlight, refuseLate, publishTimeoutMs: PUBLISH_TIMEOUT_MS });
  const lasts = (ms: number): void => {
    const batch = taker.take([queueOf([waitingFor()])]);
    clock.now += ms;
    if (batch !== null) taker.release(batch);
  };
  return { clock, keysInFlight, late, taker, lasts };
};

const ordersIn = (batch: TakenBatch | null): string[] | undefined =>
  batch?.entries.map(({ request }) => request.command.orderId);

describe('a batch', () => {
  test('takes the requests of all queues, in order, and knows where each came from', (t) => {
    const { taker, clock } = takerAt(t);
    const queues = [queueOf([waitingFor(create(1)), waitingFor(create(2))]), queueOf([waitingFor(create(3))], 1)];
    const batch = taker.take(queues);
    assert.deepEqual(ordersIn(batch), ['ORD-1', 'ORD-2', 'ORD-3']);
    assert.deepEqual(
      batch?.entries.map(({ queue }) => queue.partition),
      [0, 0, 1],
    );
    assert.deepEqual([batch.takenAt, batch.idempotencyKeys], [clock.now, []]);
    assert.equal(
      queues.some(({ hasRequests }) => hasRequests),
      false,
    );
  });

  test('is null if there is nothing to take', (t) => {
    assert.equal(takerAt(t).taker.take([queueOf([])]), null);
  });

  test('leaves a second request about an order for the next batch', (t) => {
    const { taker } = takerAt(t);
    const queue = queueOf([waitingFor(create(1)), waitingFor(update(1, 'confirmed')), waitingFor(create(2))]);
    assert.deepEqual(ordersIn(taker.take([queue])), ['ORD-1', 'ORD-2']);
    assert.deepEqual(ordersIn(taker.take([queue])), ['ORD-1']);
  });

  test('leaves a request whose idempotency key is in a batch under way, until that ends', (t) => {
    const { taker, keysInFlight } = takerAt(t);
    const queue = queueOf([1, 2].map((id) => waitingFor(keyed('a', create(id)))));
    const first = taker.take([queue]);
    assert.deepEqual([ordersIn(first), first?.idempotencyKeys, [...keysInFlight]], [['ORD-1'], ['a'], ['a']]);
    assert.equal(taker.take([queue]), null);
    if (first !== null) taker.release(first);
    assert.equal(keysInFlight.size, 0);
    assert.deepEqual(ordersIn(taker.take([queue])), ['ORD-2']);
  });

  test('has 500 requests at most', (t) => {
    const { taker } = takerAt(t);
    const queue = queueOf(Array.from({ length: 501 }, (_, id) => waitingFor(create(id))));
    assert.equal(taker.take([queue])?.entries.length, 500);
    assert.equal(taker.take([queue])?.entries.length, 1);
  });
});

/** Whether a request is taken that has so much time left, in ms. Otherwise it is refused as late. */
const takes = ({ taker, clock, late }: ReturnType<typeof takerAt>, left: number): boolean => {
  const waiting = waitingFor(create(1), { deadline: clock.now + left });
  const queue = queueOf([waiting]);
  const isTaken = taker.take([queue]) !== null;
  assert.deepEqual([queue.hasRequests, late.pop()], [false, isTaken ? undefined : waiting]);
  return isTaken;
};

describe('the time that a request has left', () => {
  test('is enough before the first batch, if any is left', (t) => {
    const scene = takerAt(t);
    assert.deepEqual([takes(scene, 0), takes(scene, 1)], [false, true]);
  });

  test('is enough if it is more than 1.5 times the recent longest batch', (t) => {
    const scene = takerAt(t);
    scene.lasts(100);
    assert.deepEqual([takes(scene, 150), takes(scene, 151)], [false, true]);
  });

  test('is always enough if it is more than half of the publish timeout', (t) => {
    const scene = takerAt(t);
    scene.lasts(900);
    assert.deepEqual([takes(scene, 500), takes(scene, 501)], [false, true]);
  });

  test('is compared with a longest batch that each shorter one makes 20 % shorter', (t) => {
    const scene = takerAt(t);
    scene.lasts(100);
    scene.lasts(0);
    assert.deepEqual([takes(scene, 120), takes(scene, 121)], [false, true]);
    scene.lasts(200);
    assert.deepEqual([takes(scene, 300), takes(scene, 301)], [false, true]);
  });
});
