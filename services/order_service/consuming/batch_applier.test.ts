import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { StoreError } from '#service_common/store_error.ts';
import type { AppliedTransaction } from './apply_observers.ts';
import { type BatchApplierOptions, createBatchApplier } from './batch_applier.ts';
import type { AppliedBatch, ConsumerDb } from '#order_service/consumer_db.ts';
import { createSqliteConsumerDb } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import { batchOf, created, record, statusUpdated } from '#tests/support/events.ts';
import { REDRIVE_PROOF } from '#tests/support/redrive_proof.ts';
import { createTestLog } from '#tests/support/test_log.ts';

const NOW = 1_768_737_600_000;
const TOPIC = 'orders.events';

let directory: string;
let db: ConsumerDb;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'batch-applier-'));
  db = createSqliteConsumerDb({ directory });
});

afterEach(async () => {
  await db.close();
  await rm(directory, { recursive: true });
});

const applierOn = (changes: Partial<BatchApplierOptions> = {}) => {
  const { logger, lines } = createTestLog();
  const arrived: string[] = [];
  const applier = createBatchApplier({
    db,
    logger,
    now: () => NOW,
    redriveProof: REDRIVE_PROOF,
    storeRetryDelay: () => 0,
    observers: [({ orderIds }) => arrived.push(...orderIds)],
    signal: new AbortController().signal,
    ...changes,
  });
  return { applier, lines, arrived };
};

/** A store that fails so many times before it takes a transaction. */
const failing = (times: number, onFailure: () => void = () => {}) => {
  let left = times;
  const taken: AppliedBatch[] = [];
  return {
    taken,
    load: (...ids: Parameters<ConsumerDb['load']>) => db.load(...ids),
    applyBatch: async (batch: AppliedBatch): Promise<void> => {
      if (left > 0) {
        left -= 1;
        onFailure();
        throw new StoreError('STORE_UNAVAILABLE', 'database or disk is full');
      }
      taken.push(batch);
      await db.applyBatch(batch);
    },
  };
};

describe('a batch', () => {
  test('is applied with its dead letters and its position', async () => {
    const { applier, arrived } = applierOn();
    const batch = batchOf(2, 40, [
      created('ORD-1'),
      'no event',
      statusUpdated('ORD-1', 2, 'shipped'),
      created('ORD-1'),
    ]);
    await applier.apply(batch, null);

    assert.equal((await db.order('ORD-1'))?.status, 'shipped');
    assert.deepEqual(await db.positions(TOPIC), [{ partition: 2, topicId: 'topic-1', next: 44 }]);
    assert.deepEqual(await db.deadLetters(0, 10), [
      {
        id: 1,
        topic: TOPIC,
        partition: 2,
        ...record('no event', { offset: 41 }),
        reason: 'the value is not JSON',
        isWhole: true,
        storedAt: NOW,
        redrive: null,
      },
    ]);
    assert.deepEqual(applier.status(), {
      outcomes: { applied: 2, duplicate: 1, waiting: 0, conflict: 0 },
      deadLetters: 1,
      keyMismatches: 0,
      storeFailure: null,
    });
    assert.deepEqual(arrived, ['ORD-1']);
  });

  test('stores of a record that is not whole what is there, and that it is not whole', async () => {
    const { applier } = applierOn();
    const unreadable = 'the record has 2000000 bytes, more than 1048576; its value was cut';
    await applier.apply({ ...batchOf(0, 0, ['{']), records: [record('{', { unreadable })] }, null);
    const [letter] = await db.deadLetters(0, 10);
    assert.deepEqual([letter?.isWhole, letter?.reason, letter?.value], [false, unreadable, Buffer.from('{')]);
  });

  test('without records moves the position', async () => {
    const { applier } = applierOn();
    await applier.apply({ ...batchOf(0, 0, []), next: 7, end: 7 }, null);
    assert.deepEqual(await db.positions(TOPIC), [{ partition: 0, topicId: 'topic-1', next: 7 }]);
  });

  test('of many records is applied in several transactions, each with its position', async () => {
    const store = failing(0);
    const { applier } = applierOn({ db: store });
    const events = Array.from({ length: 1_200 }, (_, n) => created(`ORD-${n}`));
    await applier.apply({ ...batchOf(0, 100, events), next: 1_305 }, null);
    assert.deepEqual(
      store.taken.map(({ views, positions }) => [views.length, positions.map(({ from, next }) => [from, next])]),
      [
        [500, [[null, 600]]],
        [500, [[600, 1_100]]],
        [200, [[1_100, 1_305]]],
      ],
    );
  });

  test('is given to the observers with its events and their positions, once it is committed', async () => {
    const observed: AppliedTransaction[] = [];
    const { applier } = applierOn({ observers: [(applied) => observed.push(applied)] });
    await applier.apply(batchOf(2, 40, [created('ORD-1'), 'no event', created('ORD-2')]), null);
    const [{ events, deadLetters } = { events: [], deadLetters: [] }] = observed;
    assert.deepEqual(
      events.map(({ event, record: { offset }, partition }) => [event.orderId, partition, offset]),
      [
        ['ORD-1', 2, 40],
        ['ORD-2', 2, 42],
      ],
    );
    assert.deepEqual([observed.length, deadLetters.map(({ offset }) => offset)], [1, [41]]);
  });

  test('of pending statuses announces no order', async () => {
    const { applier, arrived } = applierOn();
    await applier.apply(batchOf(0, 0, [statusUpdated('ORD-1', 2, 'shipped')]), null);
    assert.deepEqual(arrived, []);
    assert.equal(applier.status().outcomes.waiting, 1);
  });

  test('with an event under another key is applied, and the mismatch counted', async () => {
    const { applier } = applierOn();
    const batch = batchOf(0, 0, []);
    await applier.apply({ ...batch, records: [record(created('ORD-1'), { key: null })], next: 1 }, null);
    assert.equal((await db.order('ORD-1'))?.orderId, 'ORD-1');
    assert.equal(applier.status().keyMismatches, 1);
  });
});

const many = (from: number, count: number) => Array.from({ length: count }, (_, n) => created(`ORD-${from + n}`));

const failingObserver = (): never => {
  throw new TypeError('a fault');
};

test('an observer that throws is logged, and changes nothing for the other observers and for what is applied', async () => {
  const seen: string[] = [];
  const { applier, lines } = applierOn({ observers: [failingObserver, ({ orderIds }) => seen.push(...orderIds)] });
  await applier.apply(batchOf(0, 0, [created('ORD-1')]), null);
  await applier.apply(batchOf(0, 1, [created('ORD-2')]), 1);
  assert.deepEqual(seen, ['ORD-1', 'ORD-2']);
  assert.deepEqual(applier.status().outcomes, { applied: 2, duplicate: 0, waiting: 0, conflict: 0 });
  assert.deepEqual(await db.positions(TOPIC), [{ partition: 0, topicId: 'topic-1', next: 2 }]);
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    Array.from({ length: 2 }, () => ['error', 'an observer of applied events failed']),
  );
  assert.partialDeepStrictEqual(lines[0], { err: { message: 'a fault' } });
});

describe('batches of several partitions that come together', () => {
  test('share a transaction', async () => {
    const store = failing(0);
    const { applier } = applierOn({ db: store });
    await Promise.all([
      applier.apply(batchOf(0, 0, [created('ORD-1'), 'no event']), null),
      applier.apply(batchOf(1, 7, [created('ORD-2')]), null),
      applier.apply({ ...batchOf(2, 0, []), next: 3 }, null),
    ]);
    assert.deepEqual(
      store.taken.map(({ positions }) => positions.map(({ partition, from, next }) => [partition, from, next])),
      [
        [
          [0, null, 2],
          [1, null, 8],
          [2, null, 3],
        ],
      ],
    );
  });

  test('fill transactions of bounded size, and each batch is done with its own last record', async () => {
    const store = failing(0);
    const { applier } = applierOn({ db: store });
    const done: number[] = [];
    await Promise.all(
      [batchOf(0, 0, many(0, 300)), batchOf(1, 0, many(1_000, 600)), batchOf(2, 0, many(2_000, 1))].map(
        async (batch) => {
          await applier.apply(batch, null);
          done.push(batch.partition, store.taken.length);
        },
      ),
    );
    assert.deepEqual(
      store.taken.map(({ positions }) => positions.map(({ partition, from, next }) => [partition, from, next])),
      [
        [
          [0, null, 300],
          [1, null, 200],
        ],
        [
          [1, 200, 600],
          [2, null, 1],
        ],
      ],
    );
    assert.deepEqual(done, [0, 1, 1, 2, 2, 2]);
    assert.equal((await db.counts()).orders, 901);
  });

  test('are refused together if one was overtaken, and later batches are applied', async () => {
    const { applier } = applierOn();
    await applier.apply(batchOf(0, 0, [created('ORD-1')]), null);
    const overtaken = { name: 'StoreError', code: 'STORE_OVERTAKEN' };
    await Promise.all([
      assert.rejects(applier.apply(batchOf(0, 0, [created('ORD-1')]), null), overtaken),
      assert.rejects(applier.apply(batchOf(1, 0, [created('ORD-2')]), null), overtaken),
    ]);
    await applier.apply(batchOf(1, 0, [created('ORD-2')]), null);
    assert.equal((await db.counts()).orders, 2);
  });

  test('of one partition, are applied one after the other', async () => {
    const store = failing(0);
    const { applier } = applierOn({ db: store });
    await Promise.all([
      applier.apply(batchOf(0, 0, [created('ORD-1')]), null),
      applier.apply(batchOf(0, 1, [statusUpdated('ORD-1', 2, 'shipped')]), 1),
    ]);
    assert.deepEqual(
      store.taken.map(({ positions }) => positions.map(({ next }) => next)),
      [[1], [2]],
    );
  });
});

test('events of one order in several partitions, applied at once, lose nothing', async () => {
  const { applier } = applierOn();
  await Promise.all([
    applier.apply(batchOf(0, 0, [created('ORD-1')]), null),
    applier.apply(batchOf(1, 0, [statusUpdated('ORD-1', 3, 'shipped')]), null),
    applier.apply(batchOf(2, 0, [statusUpdated('ORD-1', 2, 'confirmed')]), null),
  ]);
  assert.equal((await db.order('ORD-1'))?.status, 'shipped');
  assert.equal((await db.load(['ORD-1'], [])).views.get('ORD-1')?.version, 3);
});

describe('a store that fails', () => {
  test('is tried again until it takes the batch once, and the status shows the failure meanwhile', async () => {
    const seen: (string | null)[] = [];
    const store = failing(3, () => seen.push(applier.status().storeFailure));
    const delays: number[] = [];
    const storeRetryDelay = (failures: number): number => delays.push(failures) && 0;
    const { applier, lines } = applierOn({ db: store, storeRetryDelay });
    await applier.apply(batchOf(0, 0, [created('ORD-1')]), null);

    assert.deepEqual(seen, [null, 'database or disk is full', 'database or disk is full']);
    assert.deepEqual(delays, [1, 2, 3]);
    assert.equal(store.taken.length, 1);
    assert.deepEqual(applier.status().outcomes, { applied: 1, duplicate: 0, waiting: 0, conflict: 0 });
    assert.equal(applier.status().storeFailure, null);
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['error', 'error', 'error', 'info'],
    );
  });

  test('is given up when the signal aborts, even during a long delay, and nothing is applied', async () => {
    const stopping = new AbortController();
    const { applier } = applierOn({
      db: failing(Infinity, () => setImmediate(() => stopping.abort())),
      storeRetryDelay: () => 60_000,
      signal: stopping.signal,
    });
    await assert.rejects(applier.apply(batchOf(0, 0, [created('ORD-1')]), null), {
      name: 'AbortError',
    });
    assert.equal(await db.order('ORD-1'), null);
    await assert.rejects(applier.apply(batchOf(1, 0, [created('ORD-2')]), null), {
      name: 'AbortError',
    });
  });

  test('because another process has applied the batch is not tried again, and nothing is applied twice', async () => {
    const { applier } = applierOn({
      db: {
        ...db,
        async load(...ids) {
          const loaded = await db.load(...ids);
          await other.applier.apply(batch, null);
          return loaded;
        },
      },
    });
    const other = applierOn();
    const batch = batchOf(0, 0, [created('ORD-1'), 'no event']);
    await assert.rejects(applier.apply(batch, null), { name: 'StoreError', code: 'STORE_OVERTAKEN' });
    assert.deepEqual(await db.counts(), { orders: 1, pending: 0, deadLetters: 1, heldDeadLetters: 1 });
  });

  test('because another process has committed since is decided again, on what that process wrote', async () => {
    const second = createSqliteConsumerDb({ directory });
    const other = applierOn({ db: second });
    let loads = 0;
    const { applier, lines } = applierOn({
      db: {
        ...db,
        async load(...ids) {
          const loaded = await db.load(...ids);
          // An order can have events in two partitions, which two services own.
          if ((loads += 1) === 1)
            await other.applier.apply(batchOf(1, 0, [statusUpdated('ORD-1', 3, 'shipped')]), null);
          return loaded;
        },
      },
    });
    await applier.apply(batchOf(0, 0, [created('ORD-1'), statusUpdated('ORD-1', 2, 'confirmed')]), null);
    await second.close();
    assert.equal(loads, 2);
    const { version, status } = (await db.order('ORD-1')) ?? {};
    assert.deepEqual([version, status], [3, 'shipped']);
    assert.deepEqual(lines, []);
  });

  test('by a fault of the program is not tried again', async () => {
    const broken = { ...db, applyBatch: () => Promise.reject(new TypeError('a fault')) };
    const { applier } = applierOn({ db: broken });
    await assert.rejects(applier.apply(batchOf(0, 0, [created('ORD-1')]), null), TypeError);
  });
});
