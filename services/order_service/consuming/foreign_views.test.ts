import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerError } from '#kafka_common/broker.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { eventually } from '#tests/support/eventually.ts';
import { watchForeignViews } from './foreign_views.ts';

/** A group that has committed offset 5 of partitions 0 and 1, and a member that owns partition 0. */
const watched = (t: TestContext, stored: Map<number, number>) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const { logger, lines } = createTestLog();
  let looks = 0;
  let fails = false;
  const views = watchForeignViews({
    broker: {
      committed: async () => {
        looks += 1;
        if (fails) throw new BrokerError('UNAVAILABLE', 'gone');
        return new Map([
          [0, 5],
          [1, 5],
        ]);
      },
    },
    db: { positions: async () => Array.from(stored, ([partition, next]) => ({ partition, topicId: 'id', next })) },
    topic: 'orders.events',
    group: 'order-service',
    assigned: () => [0],
    logger,
    signal: stop.signal,
    lookMs: 5,
  });
  const lookTwice = async (): Promise<void> => {
    const before = looks;
    await eventually(() => assert.ok(looks > before + 2));
  };
  return { views, lines, lookTwice, fail: (): void => void (fails = true) };
};

test('a partition that another member applies elsewhere is a warning, and is logged once', async (t) => {
  const stored = new Map([[0, 5]]);
  const { views, lines, lookTwice, fail } = watched(t, stored);
  await eventually(() => assert.equal(views.warnings().length, 1));
  assert.match(views.warnings()[0] ?? '', /^partition 1 of orders\.events: another member .* same DATABASE_URL/);
  await lookTwice();
  assert.equal(lines.filter(({ level }) => level === 'error').length, 1);
  fail();
  await sleep(50);
  assert.equal(views.warnings().length, 1);
});

test('the warning ends once the view has the partition', async (t) => {
  const stored = new Map([[0, 5]]);
  const { views } = watched(t, stored);
  await eventually(() => assert.equal(views.warnings().length, 1));
  stored.set(1, 5);
  await eventually(() => assert.deepEqual(views.warnings(), []));
});

test('a shared view is never behind, and partitions of this member do not count', async (t) => {
  const { views, lookTwice } = watched(t, new Map([[1, 7]]));
  await lookTwice();
  assert.deepEqual(views.warnings(), []);
});
