import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { StoreError } from '#service_common/store_error.ts';
import { type BatchApplierOptions, createBatchApplier } from './batch_applier.ts';
import type { AppliedBatch, ConsumerDb } from './consumer_db.ts';
import { createSqliteConsumerDb } from './consumer_db_sqlite.ts';
import { batchOf, created, record, statusUpdated } from './test_events.ts';
import { createTestLog } from './test_log.ts';

const NOW = 1_768_737_600_000;
const TOPIC = 'orders.events';
const never = new AbortController().signal;

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
    storeRetryDelay: () => 0,
    onOrders: (orderIds) => arrived.push(...orderIds),
    ...changes,
  });
  return { applier, lines, arrived };
};

/** A store that fails as often as told before it takes a transaction. */
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
  test('of events and others is applied, its dead letters set aside and its position stored', async () => {
    const { applier, lines, arrived } = applierOn();
    const batch = batchOf(2, 40, [
      created('ORD-1'),
      'no event',
      statusUpdated('ORD-1', 2, 'shipped'),
      created('ORD-1'),
    ]);
    await applier.apply(batch, null, never);

    assert.equal((await db.order('ORD-1'))?.status, 'shipped');
    assert.deepEqual(await db.positions(TOPIC), [{ partition: 2, topicId: 'topic-1', next: 44 }]);
    assert.deepEqual(await db.deadLetters(0, 10), [
      {
        id: 1,
        topic: TOPIC,
        partition: 2,
        ...record('no event', { offset: 41 }),
        reason: 'the value is not JSON',
        storedAt: NOW,
      },
    ]);
    assert.deepEqual(applier.status(), {
      outcomes: { applied: 2, duplicate: 1, waiting: 0 },
      deadLetters: 1,
      keyMismatches: 0,
      storeFailure: null,
    });
    assert.deepEqual(arrived, ['ORD-1']);
    assert.deepEqual(
      lines.map(({ level, offset, reason }) => [level, offset, reason]),
      [['warn', 41, 'the value is not JSON']],
    );
  });

  test('without records moves the position', async () => {
    const { applier } = applierOn();
    await applier.apply({ ...batchOf(0, 0, []), next: 7, end: 7 }, null, never);
    assert.deepEqual(await db.positions(TOPIC), [{ partition: 0, topicId: 'topic-1', next: 7 }]);
  });

  test('of many records is applied in several transactions, each with its position', async () => {
    const store = failing(0);
    const { applier } = applierOn({ db: store });
    const events = Array.from({ length: 1_200 }, (_, n) => created(`ORD-${n}`));
    await applier.apply({ ...batchOf(0, 100, events), next: 1_305 }, null, never);
    assert.deepEqual(
      store.taken.map(({ views, position }) => [views.length, position.next]),
      [
        [500, 600],
        [500, 1_100],
        [200, 1_305],
      ],
    );
  });

  test('of statuses without their order announces no order', async () => {
    const { applier, arrived } = applierOn();
    await applier.apply(batchOf(0, 0, [statusUpdated('ORD-1', 2, 'shipped')]), null, never);
    assert.deepEqual(arrived, []);
    assert.equal(applier.status().outcomes.waiting, 1);
  });

  test('with an event under another key is applied, and the mismatch counted', async () => {
    const { applier, lines } = applierOn();
    const batch = batchOf(0, 0, []);
    await applier.apply({ ...batch, records: [record(created('ORD-1'), { key: null })], next: 1 }, null, never);
    assert.equal((await db.order('ORD-1'))?.orderId, 'ORD-1');
    assert.equal(applier.status().keyMismatches, 1);
    assert.equal(lines.length, 1);
  });
});

test('events of one order in several partitions, applied at once, lose nothing', async () => {
  const { applier } = applierOn();
  await Promise.all([
    applier.apply(batchOf(0, 0, [created('ORD-1')]), null, never),
    applier.apply(batchOf(1, 0, [statusUpdated('ORD-1', 3, 'shipped')]), null, never),
    applier.apply(batchOf(2, 0, [statusUpdated('ORD-1', 2, 'confirmed')]), null, never),
  ]);
  assert.equal((await db.order('ORD-1'))?.status, 'shipped');
  assert.equal((await db.load(['ORD-1'], [])).views.get('ORD-1')?.version, 3);
});

describe('a store that fails', () => {
  test('is tried again until it takes the batch, once, and status says so meanwhile', async () => {
    const seen: (string | null)[] = [];
    const store = failing(3, () => seen.push(applier.status().storeFailure));
    const delays: number[] = [];
    const storeRetryDelay = (failures: number): number => delays.push(failures) && 0;
    const { applier, lines } = applierOn({ db: store, storeRetryDelay });
    await applier.apply(batchOf(0, 0, [created('ORD-1')]), null, never);

    assert.deepEqual(seen, [null, 'database or disk is full', 'database or disk is full']);
    assert.deepEqual(delays, [1, 2, 3]);
    assert.equal(store.taken.length, 1);
    assert.deepEqual(applier.status().outcomes, { applied: 1, duplicate: 0, waiting: 0 });
    assert.equal(applier.status().storeFailure, null);
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['error', 'error', 'error', 'info'],
    );
  });

  test('is given up when the signal aborts, however long the delay, and nothing is applied', async () => {
    const stopping = new AbortController();
    const { applier } = applierOn({
      db: failing(Infinity, () => setImmediate(() => stopping.abort())),
      storeRetryDelay: () => 60_000,
    });
    await assert.rejects(applier.apply(batchOf(0, 0, [created('ORD-1')]), null, stopping.signal), {
      name: 'AbortError',
    });
    assert.equal(await db.order('ORD-1'), null);
    await assert.rejects(applier.apply(batchOf(1, 0, [created('ORD-2')]), null, stopping.signal), {
      name: 'AbortError',
    });
  });

  test('as another process has applied the batch meanwhile is not tried again, and nothing is applied twice', async () => {
    const { applier } = applierOn({
      db: {
        ...db,
        async load(...ids) {
          const loaded = await db.load(...ids);
          await other.applier.apply(batch, null, never);
          return loaded;
        },
      },
    });
    const other = applierOn();
    const batch = batchOf(0, 0, [created('ORD-1'), 'no event']);
    await assert.rejects(applier.apply(batch, null, never), { name: 'StoreError', code: 'STORE_OVERTAKEN' });
    assert.deepEqual(await db.counts(), { orders: 1, waiting: 0, deadLetters: 1 });
  });

  test('by a fault of the program is not tried again', async () => {
    const broken = { ...db, applyBatch: () => Promise.reject(new TypeError('a fault')) };
    const { applier } = applierOn({ db: broken });
    await assert.rejects(applier.apply(batchOf(0, 0, [created('ORD-1')]), null, never), TypeError);
  });
});
