import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Broker } from '#kafka_common/broker.ts';
import { EMPTY_CART_BATCH, type OutboxRow, type SeenPosition } from '#cart_service/store/cart_store.ts';
import { A_TOPIC, confirmation, creation, logOf, rowOf } from '#tests/support/cart_parts.ts';
import { created, statusUpdated } from '#tests/support/events.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { createCartDisk, createSimulatedCartStore } from '#tests/simulation/simulated_cart_store.ts';
import { catchUp } from './catch_up.ts';
import { createLogPositions } from './log_positions.ts';

const NOW = 1_768_737_600_000;
const EMPTY = logOf();

/** A service with this outbox starts at these positions of this log. */
const start = async (
  outbox: readonly OutboxRow[],
  log: Pick<Broker, 'read'>,
  stored: readonly SeenPosition[] = [],
  topic = A_TOPIC,
) => {
  const disk = createCartDisk();
  const store = createSimulatedCartStore(disk);
  await store.commit({ ...EMPTY_CART_BATCH, outbox, positions: stored });
  let commits = 0;
  const commit: typeof store.commit = (batch) => {
    commits += 1;
    return store.commit(batch);
  };
  const positions = createLogPositions();
  const { logger, lines } = createTestLog();
  const parts = { broker: log as Broker, store: { ...store, commit }, topic, positions, now: () => NOW, logger };
  const left = await catchUp(parts);
  return {
    left,
    disk,
    positions,
    lines,
    commits: () => commits,
    logged: () => lines.map(({ level, msg }) => [level, msg]),
  };
};

const foreign = (id: number) => statusUpdated(`ORD-${id}`, 2, 'shipped', 'foreign');

const CAUGHT_UP = 'caught up with the log';

describe('catching up with the log', () => {
  test('leaves the whole outbox, in order, if there is nothing to read', async () => {
    const rows = [creation(1), creation(2)];
    const { left, lines, commits } = await start(rows, EMPTY);
    assert.deepEqual([left, commits()], [rows, 0]);
    assert.deepEqual(
      lines.map(({ level, msg, eventsRead, leftInOutbox }) => [level, msg, eventsRead, leftInOutbox]),
      [['info', CAUGHT_UP, 0, 2]],
    );
  });

  test('settles the events that the log holds, and remembers their requests as unanswered', async () => {
    const keyed = rowOf(2, statusUpdated('ORD-1', 2, 'confirmed'), { fingerprint: 'update' });
    const rows = [rowOf(1, created('ORD-1'), { fingerprint: 'create' }), keyed, creation(3)];
    const { left, disk, lines } = await start(
      rows,
      logOf([0, 0, [created('ORD-1'), statusUpdated('ORD-1', 2, 'confirmed')]]),
    );
    assert.deepEqual([left, [...disk.state.outbox.values()]], [[rows[2]], [rows[2]]]);
    assert.deepEqual(
      [...disk.state.unanswered.values()].map(({ fingerprint, at }) => [fingerprint, at]),
      [
        ['create', null],
        ['update', NOW],
      ],
    );
    assert.deepEqual([lines[0]?.['eventsRead'], lines[0]?.['leftInOutbox'], lines.length], [2, 1, 1]);
  });

  test('learns the orders that it reads, and stores the position behind each batch', async () => {
    const log = logOf([0, 0, [created('ORD-1')]], [1, 0, [created('ORD-2'), 'no event']]);
    const { disk, positions, lines } = await start([], log);
    assert.deepEqual([...disk.state.orders.keys()], ['ORD-1', 'ORD-2']);
    assert.deepEqual(
      [...disk.state.positions.values()],
      [
        { partition: 0, topicId: A_TOPIC.id, next: 1 },
        { partition: 1, topicId: A_TOPIC.id, next: 2 },
      ],
    );
    assert.deepEqual(
      [...positions.known],
      [
        [0, 1],
        [1, 2],
      ],
    );
    assert.equal(lines[0]?.['eventsRead'], 2);
  });

  test('goes on from the stored positions', async () => {
    const log = logOf([0, 0, [created('ORD-1'), created('ORD-2')]]);
    const { disk, positions } = await start([], log, [{ partition: 0, topicId: A_TOPIC.id, next: 1 }]);
    assert.deepEqual([...disk.state.orders.keys()], ['ORD-2']);
    assert.deepEqual([...positions.known], [[0, 2]]);
  });

  test('stores nothing for a batch without records, and moves on', async () => {
    const { commits, positions } = await start([], logOf([2, 7, []]));
    assert.deepEqual([commits(), [...positions.known]], [0, [[2, 7]]]);
  });

  for (const [what, version, leaves] of [
    ['this version', 2, []],
    ['a later version', 3, []],
    ['an earlier version', 1, [2]],
    ['no version', null, [2]],
  ] as const) {
    test(`drops an event of the outbox only if the log has given its version to another event: ${what}`, async () => {
      const log = logOf([0, 0, [statusUpdated('ORD-1', version, 'shipped', 'foreign')]]);
      const { left, disk, lines } = await start([confirmation(1, 2)], log);
      assert.deepEqual([left.map(({ seq }) => seq), [...disk.state.outbox.keys()]], [leaves, leaves]);
      assert.equal(
        lines.some(({ level }) => level === 'warn'),
        leaves.length === 0,
      );
    });
  }

  test('drops no event of another order', async () => {
    const log = logOf([0, 0, [statusUpdated('ORD-2', 5, 'shipped', 'foreign')]]);
    assert.equal((await start([confirmation(1, 2)], log)).left.length, 1);
  });

  test('settles, and does not drop, an event that the log holds beside another one of its version', async () => {
    const row = confirmation(1, 2);
    const own = statusUpdated('ORD-1', 2, 'confirmed');
    const log = logOf([0, 0, [foreign(1), own]]);
    const { left, logged } = await start([{ ...row, fingerprint: 'f' }], log);
    assert.deepEqual([left, logged()], [[], [['info', CAUGHT_UP]]]);
  });

  test('knows that an event is open that the outbox holds: another one before it takes its place', async () => {
    const disk = createCartDisk();
    const store = createSimulatedCartStore(disk);
    const orders = [{ state: { orderId: 'ORD-1', version: 2, status: 'confirmed' as const }, previous: null }];
    await store.commit({ ...EMPTY_CART_BATCH, orders, outbox: [confirmation(1, 2)] });
    const log = logOf([0, 0, [foreign(1)]]);
    const { logger } = createTestLog();
    const positions = createLogPositions();
    await catchUp({ broker: log as Broker, store, topic: A_TOPIC, positions, now: () => NOW, logger });
    assert.equal(disk.state.orders.get('ORD-1')?.status, 'shipped');
  });

  test('logs how many events it dropped in all, and the first ten', async () => {
    const numbers = Array.from({ length: 12 }, (_, n) => n + 1);
    const log = logOf([0, 0, numbers.slice(0, 6).map(foreign)], [1, 0, numbers.slice(6).map(foreign)]);
    const { lines } = await start(
      numbers.map((id) => confirmation(id, id)),
      log,
    );
    const warning = lines.find(({ level }) => level === 'warn');
    assert.equal(warning?.msg, 'dropped events of the outbox whose versions the log has given to others');
    const first = numbers.slice(0, 10).map((id) => ({ orderId: `ORD-${id}`, eventId: `confirmed-ORD-${id}-2` }));
    assert.deepEqual([warning['count'], warning['first']], [12, first]);
  });

  test('ends if the topic is another one meanwhile', async () => {
    const elsewhere = { ...A_TOPIC, id: 'topic-2' };
    const log = logOf([0, 0, [created('ORD-1')]]);
    await assert.rejects(start([], log, [], elsewhere), { code: 'TOPIC_CHANGED' });
  });

  test('waits a second at most at an open transaction', async () => {
    const { read } = EMPTY;
    const asked: unknown[] = [];
    await start([], { read: (...args) => (asked.push(args[0], args[2]), read(...args)) });
    assert.deepEqual(asked, [A_TOPIC.name, 1_000]);
  });
});

describe('catching up with a topic that was made again', () => {
  const before = [0, 1].map((partition) => ({ partition, topicId: partition === 0 ? 'topic-0' : A_TOPIC.id, next: 5 }));

  test('reads it from the start, and says so once', async () => {
    const { disk, positions, logged } = await start([], logOf([0, 0, [created('ORD-1')]]), before);
    assert.deepEqual([...disk.state.orders.keys()], ['ORD-1']);
    assert.deepEqual([...positions.known], [[0, 1]]);
    assert.deepEqual(
      [...disk.state.positions.values()].map(({ topicId, next }) => [topicId, next]),
      [
        [A_TOPIC.id, 1],
        [A_TOPIC.id, 0],
      ],
    );
    assert.deepEqual(logged(), [
      ['error', 'the topic was deleted and made again: its earlier events are gone; reading it from the start'],
      ['info', CAUGHT_UP],
    ]);
  });

  test('forgets what was ahead in the former one', async () => {
    const disk = createCartDisk();
    const store = createSimulatedCartStore(disk);
    const order = { orderId: 'ORD-1', version: 1, status: 'new' as const };
    const ahead = [{ orderId: 'ORD-1', version: 1, offset: 9 }];
    await store.commit({ ...EMPTY_CART_BATCH, orders: [{ state: order, previous: null }], positions: before });
    await store.commit({ ...EMPTY_CART_BATCH, ahead });
    const { logger, lines } = createTestLog();
    const positions = createLogPositions();
    await catchUp({ broker: EMPTY as Broker, store, topic: A_TOPIC, positions, now: () => NOW, logger });
    assert.equal(disk.state.ahead.size, 0);
    assert.equal(lines[0]?.['topic'], A_TOPIC.name);
  });
});
