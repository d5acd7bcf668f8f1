import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Broker } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { createPartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { CartBatch, Committed, OutboxRow } from '#cart_service/store/cart_store.ts';
import { A_TOPIC, confirmation, creation, logOf, rowOf, unsettledIn } from '#tests/support/cart_parts.ts';
import { created, statusUpdated } from '#tests/support/events.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { createRefusedEvents } from './refused_events.ts';

interface Scene {
  readonly outbox: readonly OutboxRow[];
  readonly refused: readonly OutboxRow[];
  readonly log?: readonly OrderEvent[];
  readonly broker?: Pick<Broker, 'read'>;
  readonly commit?: () => Promise<Committed>;
  readonly isOpen?: () => boolean;
}

const NOTHING_LOST: Committed = { lost: new Set(), takenOver: new Set() };

const decide = async ({ outbox, refused, log = [], ...rest }: Scene) => {
  const { broker = logOf([4, 0, log]), commit = () => Promise.resolve(NOTHING_LOST), isOpen = () => true } = rest;
  const queues = [createPartitionQueue(4, outbox), createPartitionQueue(5, [])];
  const commits: Partial<CartBatch>[] = [];
  const acknowledged: unknown[] = [];
  const { logger, lines } = createTestLog();
  const refusedEvents = createRefusedEvents({
    broker,
    transactions: {
      commit: (part) => {
        commits.push(part);
        return commit();
      },
    },
    settlements: {
      acknowledged: ({ seq }, position, topic, answered) => void acknowledged.push([seq, position, topic, answered]),
    },
    isOpen: (topic) => topic === A_TOPIC && isOpen(),
    logger,
  });
  await refusedEvents.decide(A_TOPIC, queues, refused);
  return { commits, acknowledged, lines, left: unsettledIn(queues), dropped: refusedEvents.dropped };
};

const CREATION = creation(1);
const UPDATE = confirmation(1, 2);
const OTHER = creation(2, 3);

describe('deciding about an event that Kafka refuses for good', () => {
  test('drops it with the later events of its order, the latest first, and keeps other orders', async () => {
    const { commits, acknowledged, left, dropped, lines } = await decide({
      outbox: [CREATION, UPDATE, OTHER],
      refused: [CREATION],
    });
    const state = { orderId: 'ORD-1', version: 2, status: 'confirmed' };
    assert.deepEqual(commits, [
      {
        takenBack: [
          { row: UPDATE, state, previous: null },
          { row: CREATION, state: { ...state, version: 1, status: 'new' }, previous: null },
        ],
        dropped: [CREATION, UPDATE],
      },
    ]);
    assert.deepEqual([acknowledged, left, dropped], [[], [3], 2]);
    assert.deepEqual(
      lines.map(({ level, msg, orderId, eventId }) => [level, msg, orderId, eventId]),
      [CREATION, UPDATE].map(({ orderId, eventId }) => [
        'error',
        'dropped an event that Kafka refuses for good; its client got no success',
        orderId,
        eventId,
      ]),
    );
  });

  test('settles it where the log holds it first, and drops the later ones back to that state', async () => {
    const foreign = created('ORD-2');
    const log = [foreign, created('ORD-1'), created('ORD-1')];
    const { commits, acknowledged, left, dropped } = await decide({
      outbox: [CREATION, UPDATE],
      refused: [CREATION],
      log,
    });
    assert.deepEqual(acknowledged, [[1, { partition: 4, offset: 1 }, A_TOPIC, false]]);
    assert.deepEqual(
      commits[0]?.takenBack?.map(({ row, previous }) => [row.seq, previous]),
      [[2, { orderId: 'ORD-1', version: 1, status: 'new' }]],
    );
    assert.deepEqual([commits[0].dropped, left, dropped], [[UPDATE], [], 1]);
  });

  test('goes back to the state that all events of the log give', async () => {
    const log = [
      created('ORD-1'),
      statusUpdated('ORD-1', 3, 'shipped'),
      statusUpdated('ORD-1', 3, 'cancelled', 'late'),
    ];
    const { commits } = await decide({ outbox: [confirmation(1, 2, 4)], refused: [confirmation(1, 2, 4)], log });
    assert.deepEqual(commits[0]?.takenBack?.[0]?.previous, { orderId: 'ORD-1', version: 3, status: 'shipped' });
  });

  test('goes back to no order if the log has only a status of it', async () => {
    const log = [statusUpdated('ORD-1', 3, 'shipped')];
    const { commits } = await decide({ outbox: [UPDATE], refused: [UPDATE], log });
    assert.deepEqual(commits[0]?.takenBack?.[0]?.previous, null);
  });

  test('frees its idempotency key, and knows the status of an order of others', async () => {
    const row = rowOf(1, created('ORD-1', 1, 'e', { status: 'shipped' }), { idempotencyKey: 'a' });
    const { commits } = await decide({ outbox: [row], refused: [row] });
    const state = { orderId: 'ORD-1', version: 1, status: 'shipped' };
    assert.deepEqual(commits[0]?.takenBack, [{ row, state, previous: null }]);
  });

  test('reads the whole log, and waits a second at most at an open transaction', async () => {
    const asked: unknown[] = [];
    const { read } = logOf();
    const broker: Pick<Broker, 'read'> = {
      read: (...args) => {
        asked.push(args);
        return read(...args);
      },
    };
    await decide({ outbox: [CREATION], refused: [CREATION], broker });
    assert.deepEqual(asked, [[A_TOPIC.name, new Map(), 1_000]]);
  });
});

describe('nothing is decided', () => {
  test('if the topic is closed before', async () => {
    const { commits, left } = await decide({ outbox: [CREATION], refused: [CREATION], isOpen: () => false });
    assert.deepEqual([commits, left], [[], [1]]);
  });

  test('if the topic is closed during the reading', async () => {
    const answers = [true, false].values();
    const isOpen = () => answers.next().value === true;
    const { commits, left } = await decide({
      outbox: [CREATION],
      refused: [CREATION],
      log: [created('ORD-2')],
      isOpen,
    });
    assert.deepEqual([commits, left], [[], [1]]);
  });

  test('by the log of another topic', async () => {
    const { read } = logOf([4, 0, [created('ORD-1')]]);
    const broker: Pick<Broker, 'read'> = {
      async *read(...args) {
        for await (const batch of read(...args)) yield { ...batch, topic: { ...batch.topic, id: 'topic-2' } };
      },
    };
    const { commits, left } = await decide({ outbox: [CREATION], refused: [CREATION], broker });
    assert.deepEqual([commits, left], [[], [1]]);
  });

  test('while the store fails: it is tried again after 100 ms, then 200 ms, and each reason is logged once', async () => {
    const reasons = ['full', 'full', 'broken'].values();
    const startedAt = performance.now();
    const commit = () => {
      const { value } = reasons.next();
      return value === undefined ? Promise.resolve(NOTHING_LOST) : Promise.reject(new Error(value));
    };
    const { commits, left, dropped, lines } = await decide({ outbox: [CREATION], refused: [CREATION], commit });
    assert.deepEqual([commits.length, left, dropped], [4, [], 1]);
    assert.deepEqual(
      lines.filter(({ level }) => level === 'warn').map(({ msg, reason }) => [msg, reason]),
      ['full', 'broken'].map((reason) => ['cannot decide yet about events that Kafka refuses; trying again', reason]),
    );
    assert.ok(performance.now() - startedAt >= 695);
  });
});
