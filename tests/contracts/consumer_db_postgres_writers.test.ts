import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDatabaseAddress } from '#service_common/postgres/database_address.ts';
import { StoreError } from '#service_common/store_error.ts';
import { type AppliedBatch, type ConsumerDb, type HistoryEvent, STREAM_START } from '#order_service/consumer_db.ts';
import { openPostgresStore } from '#order_service/store/postgres/postgres_consumer_db.ts';
import { createProxy } from '#tests/faults/proxy.ts';
import { ownPostgres, postgresOfFile } from '#tests/postgres/postgres_for_tests.ts';
import { anAppliedBatch, anOrder, aStep } from '#tests/support/events.ts';
import { eventually } from '#tests/support/eventually.ts';

/** Several Order Services that write to one view on PostgreSQL at the same time. */

const postgres = await postgresOfFile();
const own = await ownPostgres();

const open = async (t: TestContext, url: string): Promise<ConsumerDb> => {
  const { db } = await openPostgresStore(readDatabaseAddress(url, ''));
  t.after(db.close);
  return db;
};

const instances = async (t: TestContext, count: number): Promise<readonly ConsumerDb[]> => {
  const url = await postgres.newDatabase();
  return Promise.all(Array.from({ length: count }, () => open(t, url)));
};

const codeOf = (work: Promise<void>): Promise<string> =>
  work.then(
    () => 'applied',
    (error: unknown) => (error instanceof StoreError ? error.code : String(error)),
  );

/** The only record of a partition from `from` on: an event of each order. Decided on what the instance sees now. */
const decided = async (
  db: ConsumerDb,
  partition: number,
  from: number | null,
  orderIds: readonly string[],
): Promise<AppliedBatch> => {
  const { views, basis } = await db.load(orderIds, []);
  const first = from ?? 0;
  const isNew = (id: string): boolean => !views.has(id);
  return anAppliedBatch({
    positions: [aStep({ partition, from, next: first + orderIds.length })],
    views: orderIds.map((orderId) => {
      const version = (views.get(orderId)?.version ?? 0) + 1;
      return { orderId, version, status: 'new', pendingSince: null };
    }),
    orders: orderIds.filter(isNew).map((id) => anOrder(id)),
    history: orderIds.map((orderId, n): HistoryEvent => ({
      orderId,
      type: isNew(orderId) ? 'ORDER_CREATED' : 'ORDER_STATUS_UPDATED',
      version: (views.get(orderId)?.version ?? 0) + 1,
      status: 'new',
      timestamp: 0,
      partition,
      offset: first + n,
      outcome: 'applied',
    })),
    basis,
  });
};

/** Applies as a service does: decides again if another one was first. */
const applyUntilDone = async (db: ConsumerDb, partition: number, from: number | null, orderIds: readonly string[]) => {
  for (;;) {
    const code = await codeOf(db.applyBatch(await decided(db, partition, from, orderIds)));
    if (code === 'applied') return;
    assert.equal(code, 'STORE_CHANGED');
  }
};

test('of two that apply the same records, one is overtaken', postgres.options, async (t) => {
  const [one, other] = (await instances(t, 2)) as [ConsumerDb, ConsumerDb];
  for (let n = 0; n < 20; n++) {
    const batches = await Promise.all([one, other].map((db) => decided(db, 0, n === 0 ? null : n, [`ORD-${n}`])));
    const codes = await Promise.all([one, other].map((db, m) => codeOf(db.applyBatch(batches[m] ?? assert.fail()))));
    assert.deepEqual(codes.toSorted(), ['STORE_OVERTAKEN', 'applied']);
  }
  assert.equal((await one.counts()).orders, 20);
  assert.equal((await one.eventsAfter(STREAM_START, 100)).length, 20);
});

test('of two that change one order from two partitions, one must decide again', postgres.options, async (t) => {
  const dbs = await instances(t, 2);
  const froms: (number | null)[] = [null, null];
  for (let n = 0; n < 20; n++) {
    // A new order, and one that is there.
    for (const orderId of [`ORD-${n}`, `ORD-${n}`]) {
      const batches = await Promise.all(dbs.map((db, p) => decided(db, p, froms[p] ?? null, [orderId])));
      const codes = await Promise.all(dbs.map((db, p) => codeOf(db.applyBatch(batches[p] ?? assert.fail()))));
      assert.deepEqual(codes.toSorted(), ['STORE_CHANGED', 'applied']);
      codes.forEach((code, p) => {
        if (code === 'applied') froms[p] = (froms[p] ?? 0) + 1;
      });
    }
  }
  assert.equal((await dbs[0]?.counts())?.orders, 20);
});

const isEven = (id: string): boolean => Number(id.slice(4)) % 2 === 0;

test('200 batches of the same orders in opposite order never wait for each other', postgres.options, async (t) => {
  const dbs = await instances(t, 2);
  const ids = Array.from({ length: 40 }, (_, n) => `ORD-${n}`);
  let batches = 0;
  await Promise.all(
    dbs.map(async (db, partition) => {
      const inTurn = partition === 0 ? ids : ids.toReversed();
      for (let n = 0; n < 100; n++) {
        // Half of them are new each time, and both instances want to create them.
        const some = inTurn.map((id) => (isEven(id) ? id : `${id}00${n}`));
        await applyUntilDone(db, partition, n === 0 ? null : n * ids.length, some);
        batches += 1;
      }
    }),
  );
  assert.equal(batches, 200);
  const versions = (await dbs[0]?.load(ids, []))?.views ?? new Map();
  for (const id of ids.filter(isEven)) assert.equal(versions.get(id)?.version, 200);
});

test('a stream misses and repeats nothing while several instances write', postgres.options, async (t) => {
  const dbs = await instances(t, 3);
  const BATCHES = 60;
  const reader = dbs[0] ?? assert.fail();
  let isWriting = true;
  const writing = Promise.all(
    Array.from({ length: 6 }, async (_, partition) => {
      const db = dbs[partition % 3] ?? assert.fail();
      for (let n = 0; n < BATCHES; n++)
        await applyUntilDone(
          db,
          partition,
          n === 0 ? null : n * 3,
          [1, 2, 3].map((m) => `ORD-${partition}${n}${m}`),
        );
    }),
  ).finally(() => (isWriting = false));
  const seen: string[] = [];
  let place = STREAM_START;
  for (let isLast = false; !isLast;) {
    isLast = !isWriting;
    for (let page = await reader.eventsAfter(place, 7); page.length > 0; page = await reader.eventsAfter(place, 7)) {
      // A subscriber can go on after any event.
      const some = page.slice(0, 1 + (seen.length % page.length));
      seen.push(...some.map(({ partition, offset }) => `${partition}:${offset}`));
      place = some.at(-1)?.id ?? place;
    }
  }
  await writing;
  assert.deepEqual([seen.length, new Set(seen).size], [6 * BATCHES * 3, 6 * BATCHES * 3]);
  assert.equal(await reader.missedSince(place, 10), 0);
});

test('a place of a topic that was made again, or ahead of the view, is lost', postgres.options, async (t) => {
  const [db, other] = (await instances(t, 2)) as [ConsumerDb, ConsumerDb];
  await applyUntilDone(db, 0, null, ['ORD-1']);
  const place = await db.lastEventId();
  await applyUntilDone(db, 0, 1, ['ORD-2']);
  assert.equal(await other.missedSince(place, 10), 1);
  const [stranger] = (await instances(t, 1)) as [ConsumerDb];
  for (const text of [place.slice(0, -1), `${place}!`, place.slice(17), '1', '-1', `${db.viewId}-`, '']) {
    if (text !== place) assert.equal(await db.missedSince(text, 10), null, text);
  }
  assert.equal(await stranger.missedSince(place, 10), null);
  const batch = await decided(other, 0, null, ['ORD-3']);
  const again = { ...batch, positions: [aStep({ partition: 0, from: null, topicId: 'topic-2' })] };
  await other.applyBatch(again);
  assert.equal(await db.missedSince(place, 10), null);
  // A stream that is open goes on with the new topic, after all that it had not sent of the former one.
  assert.deepEqual(
    (await db.eventsAfter(place, 10)).map(({ orderId }) => orderId),
    ['ORD-2', 'ORD-3'],
  );
});

for (const direction of ['to_client', 'to_broker'] as const) {
  test(`a batch whose connection fails ${direction} is applied once`, postgres.options, async (t) => {
    const url = new URL(await postgres.newDatabase());
    const direct = await open(t, url.href);
    const proxy = await createProxy({ targetPort: Number(url.port) });
    t.after(proxy.close);
    url.port = String(proxy.port);
    const db = await open(t, url.href);
    await applyUntilDone(db, 0, null, ['ORD-1']);
    const batch = await decided(db, 0, 1, ['ORD-2']);
    const applying = codeOf(db.applyBatch(batch));
    proxy.trouble = { kind: 'black_hole', direction };
    await eventually(() => assert.ok(proxy.lostBytes > 0));
    proxy.trouble = { kind: 'none' };
    const isApplied = (await applying) === 'applied';
    assert.equal((await direct.counts()).orders, isApplied ? 2 : 1);
    if (!isApplied) await applyUntilDone(db, 0, 1, ['ORD-2']);
    assert.equal((await direct.eventsAfter(STREAM_START, 10)).length, 2);
  });
}

test(
  'a batch whose commit was in doubt, and which is tried again, is not applied twice',
  postgres.options,
  async (t) => {
    const [db] = (await instances(t, 1)) as [ConsumerDb];
    const batch = await decided(db, 0, null, ['ORD-1']);
    await db.applyBatch(batch);
    assert.equal(await codeOf(db.applyBatch(batch)), 'STORE_OVERTAKEN');
    assert.deepEqual((await db.counts()).orders, 1);
  },
);

test('all instances have one key of redrives, and another database has another one', postgres.options, async (t) => {
  const [url, elsewhere] = [await postgres.newDatabase(), await postgres.newDatabase()];
  const stores = await Promise.all([url, url, elsewhere].map((one) => openPostgresStore(readDatabaseAddress(one, ''))));
  t.after(() => Promise.all(stores.map(({ db }) => db.close())));
  const [first, second, other] = stores.map(({ redriveKey }) => redriveKey.toString('hex'));
  assert.match(first ?? '', /^[0-9a-f]{64}$/);
  assert.equal(second, first);
  assert.notEqual(other, first);
});

test('a server that is killed loses nothing that was applied, and nothing is applied twice', own.options, async (t) => {
  const server = await own.start();
  t.after(server.stop);
  const db = await open(t, server.url);
  let isOver = false;
  const killing = (async () => {
    for (let n = 0; n < 3; n++) {
      await sleep(400);
      await server.kill();
      await server.start();
    }
    isOver = true;
  })();
  let position: number | null = null;
  let applied = 0;
  const read = (): Promise<number | null> =>
    eventually(async () => (await db.positions('orders.events'))[0]?.next ?? null, 30_000);
  while (!isOver) {
    const from: number | null = position;
    const code = await codeOf(decided(db, 0, from, [`ORD-${from ?? 0}`]).then((batch) => db.applyBatch(batch)));
    if (code === 'applied') applied += 1;
    position = code === 'applied' ? (from ?? 0) + 1 : await read();
    assert.ok((position ?? 0) >= applied, 'what was applied is still there');
    applied = position ?? 0;
  }
  await killing;
  t.diagnostic(`${applied} transactions, 3 kills`);
  assert.equal(await read(), applied);
  assert.equal((await db.counts()).orders, applied);
  const events = await db.eventsAfter(STREAM_START, 100_000);
  assert.deepEqual(
    events.map(({ offset }) => offset),
    Array.from({ length: applied }, (_, n) => n),
  );
});
