import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { StoreError } from '#service_common/store_error.ts';
import { createLogPositions } from '#cart_service/log/log_positions.ts';
import type { CartBatch } from '#cart_service/store/cart_store.ts';
import { A_TOPIC, creation, rowOf } from '#tests/support/cart_parts.ts';
import { created } from '#tests/support/events.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { createCartDisk, createSimulatedCartStore } from '#tests/simulation/simulated_cart_store.ts';
import { createSettlements } from './settlements.ts';
import { createTransactions } from './transactions.ts';

const NOW = 1_768_737_600_000;
const DAY_MS = 86_400_000;
const ANSWERED = true;

const scene = (t: TestContext) => {
  const clock = { monotonic: 5_000 };
  t.mock.method(performance, 'now', () => clock.monotonic);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const store = createSimulatedCartStore(createCartDisk());
  const batches: CartBatch[] = [];
  const hooks: { before: () => Promise<void>; error: Error | null } = { before: () => Promise.resolve(), error: null };
  const commit = async (batch: CartBatch) => {
    batches.push(batch);
    if (hooks.error !== null) throw hooks.error;
    await hooks.before();
    return store.commit(batch);
  };
  const settlements = createSettlements(createLogPositions(), () => NOW);
  const { logger, lines } = createTestLog();
  const transactions = createTransactions({ store: { ...store, commit }, settlements, now: () => NOW, logger });
  const acknowledge = (id: number, offset: number, answered: boolean) =>
    settlements.acknowledged(
      rowOf(id, created(`ORD-${id}`), { fingerprint: 'f' }),
      { partition: 0, offset },
      A_TOPIC,
      answered,
    );
  const failWith = (error: Error) => {
    hooks.error = error;
  };
  return { clock, batches, hooks, failWith, settlements, transactions, lines, acknowledge };
};

const UNAVAILABLE = new StoreError('STORE_UNAVAILABLE', 'full');
const IN_DOUBT = new StoreError('STORE_IN_DOUBT', 'sync failed');

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a transaction', () => {
  test('takes along what was acknowledged, once', async (t) => {
    const { transactions, acknowledge, batches, settlements } = scene(t);
    acknowledge(1, 0, !ANSWERED);
    await transactions.commit({ outbox: [creation(2)] });
    await transactions.commit({});
    assert.deepEqual(
      batches.map(({ settled, outbox, unanswered, positions }) =>
        [settled, outbox, unanswered, positions].map(({ length }) => length),
      ),
      [
        [1, 1, 1, 1],
        [0, 0, 0, 0],
      ],
    );
    assert.equal(settlements.isEmpty, true);
  });

  test('holds the furthest position of a partition last, beside those of its own', async (t) => {
    const { transactions, acknowledge, batches } = scene(t);
    acknowledge(1, 0, ANSWERED);
    const own = [9, 5].map((next, partition) => ({ partition, topicId: A_TOPIC.id, next }));
    await transactions.commit({ positions: own });
    assert.deepEqual(
      batches[0]?.positions.map(({ next }) => next),
      [1, 5, 9],
    );
  });

  test('gives back what it took if the store fails', async (t) => {
    const { transactions, acknowledge, failWith, settlements } = scene(t);
    acknowledge(1, 0, ANSWERED);
    failWith(UNAVAILABLE);
    await assert.rejects(transactions.commit({}), UNAVAILABLE);
    assert.equal(settlements.isEmpty, false);
  });

  test('tells the settlements when they are stored', async (t) => {
    const { transactions, acknowledge, settlements } = scene(t);
    acknowledge(1, 3, ANSWERED);
    assert.equal(settlements.ahead.size, 1);
    await transactions.commit({});
    assert.equal(settlements.ahead.size, 0);
  });
});

describe('what a failed transaction leaves in doubt', () => {
  for (const [what, error, isInDoubt] of [
    ['nothing, if the store did not apply it', UNAVAILABLE, false],
    ['whether a recovery finds it, if the sync failed', IN_DOUBT, true],
    ['whether a recovery finds it, if the error is unknown', new Error('a fault'), true],
  ] as const) {
    test(`is ${what}`, async (t) => {
      const { transactions, failWith, hooks } = scene(t);
      assert.equal(transactions.isInDoubt, false);
      failWith(error);
      await assert.rejects(transactions.commit({}), error);
      assert.equal(transactions.isInDoubt, isInDoubt);
      hooks.error = null;
      await transactions.commit({});
      assert.equal(transactions.isInDoubt, false);
    });
  }
});

describe('idempotency keys', () => {
  test('are forgotten after a day, by a transaction every 100 ms', async (t) => {
    const { transactions, batches, clock } = scene(t);
    await transactions.commit({});
    clock.monotonic += 99;
    await transactions.commit({});
    clock.monotonic += 1;
    await transactions.commit({});
    assert.deepEqual(
      batches.map(({ expireBefore }) => expireBefore),
      [NOW - DAY_MS, null, NOW - DAY_MS],
    );
  });

  test('are forgotten by the next transaction if one fails', async (t) => {
    const { transactions, batches, failWith } = scene(t);
    failWith(UNAVAILABLE);
    for (const _ of [1, 2]) await assert.rejects(transactions.commit({}), UNAVAILABLE);
    assert.deepEqual(
      batches.map(({ expireBefore }) => expireBefore),
      [NOW - DAY_MS, NOW - DAY_MS],
    );
  });
});

describe('requests acknowledged after their client had its answer', () => {
  test('are stored when that is asked for; those that were answered are not', async (t) => {
    const { transactions, acknowledge, batches } = scene(t);
    await transactions.commitUnanswered();
    acknowledge(1, 0, ANSWERED);
    await transactions.commitUnanswered();
    assert.equal(batches.length, 0);
    acknowledge(2, 1, !ANSWERED);
    await transactions.commitUnanswered();
    assert.equal(batches.length, 1);
  });

  test('are waited for while another transaction stores them', async (t) => {
    const { transactions, acknowledge, hooks } = scene(t);
    const storing = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const order = storing.values();
    hooks.before = () => order.next().value?.promise ?? Promise.resolve();
    for (const id of [1, 2]) {
      acknowledge(id, id - 1, !ANSWERED);
      void transactions.commit({});
    }
    let isStored = false;
    const asked = transactions.commitUnanswered().then(() => (isStored = true));
    storing[1].resolve();
    await turn();
    assert.equal(isStored, false);
    storing[0].resolve();
    await asked;
  });

  test('are not waited for if a transaction has none', async (t) => {
    const { transactions, hooks } = scene(t);
    const commit = Promise.withResolvers<void>();
    hooks.before = () => commit.promise;
    const committed = transactions.commit({});
    await transactions.commitUnanswered();
    commit.resolve();
    await committed;
  });
});

describe('what was acknowledged', () => {
  test('is committed after 50 ms if no other transaction takes it along', async (t) => {
    const { transactions, acknowledge, batches } = scene(t);
    acknowledge(1, 0, ANSWERED);
    transactions.settleSoon();
    t.mock.timers.tick(49);
    transactions.settleSoon();
    assert.equal(batches.length, 0);
    t.mock.timers.tick(1);
    assert.equal(batches.length, 1);
    await turn();
    acknowledge(2, 1, ANSWERED);
    transactions.settleSoon();
    t.mock.timers.tick(50);
    assert.equal(batches.length, 2);
  });

  test('costs no transaction if it was taken along, or committed at once', async (t) => {
    const { transactions, acknowledge, batches } = scene(t);
    acknowledge(1, 0, ANSWERED);
    transactions.settleSoon();
    await transactions.commitSettled();
    acknowledge(2, 1, ANSWERED);
    t.mock.timers.tick(50);
    assert.equal(batches.length, 1);
    await transactions.commit({});
    await transactions.commitSettled();
    assert.equal(batches.length, 2);
  });

  test('is learnt from the log at the next start if the store fails, which is logged', async (t) => {
    const { transactions, acknowledge, failWith, lines } = scene(t);
    acknowledge(1, 0, ANSWERED);
    failWith(UNAVAILABLE);
    await transactions.settle();
    assert.deepEqual(
      lines.map(({ msg, err }) => [msg, (err as Error).message]),
      [['the store failed to settle acknowledged events', 'full']],
    );
    await assert.rejects(transactions.commitSettled(), UNAVAILABLE);
  });
});
