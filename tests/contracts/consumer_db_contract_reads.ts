import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Order, OrderStatus } from '#kafka_common/models.ts';
import {
  type ConsumerDb,
  type HistoryEvent,
  type OrderFilter,
  type OrderSortKey,
  type PositionStep,
  STREAM_START,
} from '#order_service/consumer_db.ts';
import { anAppliedBatch, anOrder, applyNext, aStep } from '#tests/support/events.ts';

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.parse('2026-01-01T00:00:00.000Z');

const day = (n: number): number => FIRST_DAY + n * DAY_MS;

const orderOf = (n: number, changes: Partial<Order> = {}): Order =>
  anOrder(`ORD-${n}`, { orderDate: new Date(day(n)).toISOString(), ...changes });

const event = (orderId: string, changes: Partial<HistoryEvent> = {}): HistoryEvent => ({
  orderId,
  type: 'ORDER_STATUS_UPDATED',
  version: 2,
  status: 'confirmed',
  timestamp: FIRST_DAY,
  partition: 1,
  offset: 5,
  outcome: 'applied',
  ...changes,
});

/** Steps over these events, which are the next ones of their partitions. */
const stepsOver = (history: readonly HistoryEvent[]): PositionStep[] =>
  [...new Set(history.map(({ partition }) => partition))].map((partition) => {
    const offsets = history.filter((one) => one.partition === partition).map(({ offset }) => offset);
    return aStep({ partition, next: Math.max(...offsets) + 1 });
  });

/** Appends events as the applier does, on the basis of what is loaded. */
const appendTo = async (db: ConsumerDb, ...history: HistoryEvent[]): Promise<void> => {
  const ids = [...new Set(history.map(({ orderId }) => orderId))];
  const { basis } = await db.load(ids, []);
  await applyNext(db, anAppliedBatch({ positions: stepsOver(history), history, basis }));
};

const offsetsIn = async (db: ConsumerDb, orderId: string, before: number | null = null, limit = 100) =>
  (await db.history(orderId, before, limit))?.map(({ offset }) => offset);

const offsetsAfter = async (db: ConsumerDb, place: string, limit = 100, upTo?: string) =>
  (await db.eventsAfter(place, limit, upTo)).map(({ offset, orderId }) => [offset, orderId]);

/** What the listing of orders and their histories guarantee; a part of `consumerDbContract`. */
export const consumerDbReadsContract = (dbNow: () => ConsumerDb, reopen: () => Promise<void>): void => {
  const put = (orders: readonly Order[], version = 1): Promise<void> =>
    applyNext(
      dbNow(),
      anAppliedBatch({
        orders,
        views: orders.map(({ orderId, status }) => ({ orderId, version, status, pendingSince: null })),
      }),
    );

  const setStatus = (orderId: string, status: OrderStatus): Promise<void> =>
    applyNext(dbNow(), anAppliedBatch({ views: [{ orderId, version: 2, status, pendingSince: null }] }));

  const pages = async (filter: OrderFilter, limit: number): Promise<string[][]> => {
    const found: string[][] = [];
    for (let after: OrderSortKey | null = null; ;) {
      const { orders, next } = await dbNow().orders(filter, after, limit);
      found.push(orders.map(({ orderId }) => orderId));
      if (next === null) return found;
      after = next;
    }
  };

  const listed = async (filter: OrderFilter = {}, limit = 100): Promise<string[]> =>
    (await pages(filter, limit)).flat();

  describe('the listing of orders', () => {
    test('of an empty store is empty', async () => {
      assert.deepEqual(await dbNow().orders({}, null, 10), { orders: [], next: null });
    });

    test('gives whole orders with their present status and version, newest date first', async () => {
      await put([orderOf(2), orderOf(1), orderOf(3)]);
      await setStatus('ORD-1', 'shipped');
      const { orders } = await dbNow().orders({}, null, 10);
      assert.deepEqual(orders, [
        { ...orderOf(3), version: 1 },
        { ...orderOf(2), version: 1 },
        { ...orderOf(1), version: 2, status: 'shipped' },
      ]);
    });

    test('gives orders of one date in the order of arrival, last first, each once over all pages', async () => {
      const { orderDate } = orderOf(1);
      await put(Array.from({ length: 25 }, (_, n) => orderOf(n, { orderDate })));
      const expected = Array.from({ length: 25 }, (_, n) => `ORD-${24 - n}`);
      for (const limit of [1, 7, 25, 100]) assert.deepEqual(await listed({}, limit), expected);
    });

    test('goes on after a page although new orders have come in meanwhile', async () => {
      await put([orderOf(1), orderOf(2), orderOf(3)]);
      const first = await dbNow().orders({}, null, 2);
      await put([orderOf(4)]);
      const { orders } = await dbNow().orders({}, first.next, 2);
      assert.deepEqual(
        orders.map(({ orderId }) => orderId),
        ['ORD-1'],
      );
    });

    test('filters by status, customer, both, and time, from inclusive to exclusive', async () => {
      await put([
        orderOf(1, { customerId: 'A' }),
        orderOf(2, { customerId: 'B', status: 'shipped' }),
        orderOf(3, { customerId: 'A', status: 'shipped' }),
        orderOf(4, { customerId: 'A' }),
      ]);
      await setStatus('ORD-4', 'shipped');
      assert.deepEqual(await listed({ status: 'shipped' }), ['ORD-4', 'ORD-3', 'ORD-2']);
      assert.deepEqual(await listed({ status: 'new' }), ['ORD-1']);
      assert.deepEqual(await listed({ status: 'cancelled' }), []);
      assert.deepEqual(await listed({ customerId: 'A' }), ['ORD-4', 'ORD-3', 'ORD-1']);
      assert.deepEqual(await listed({ customerId: 'a' }), []);
      assert.deepEqual(await listed({ customerId: 'A', status: 'shipped' }, 1), ['ORD-4', 'ORD-3']);
      assert.deepEqual(await listed({ from: day(2), to: day(4) }), ['ORD-3', 'ORD-2']);
      assert.deepEqual(await listed({ status: 'shipped', from: day(3) }), ['ORD-4', 'ORD-3']);
      assert.deepEqual(await listed({ customerId: 'A', status: 'new', to: day(2) }), ['ORD-1']);
    });

    test('finds all orders of a rare status of a customer with thousands of orders, over several pages', async () => {
      const { orderDate } = orderOf(1);
      await put(Array.from({ length: 2_500 }, (_, n) => orderOf(n, { orderDate, customerId: 'A' })));
      for (const n of [1, 1_200, 2_400]) await setStatus(`ORD-${n}`, 'shipped');
      const found = await pages({ customerId: 'A', status: 'shipped' }, 2);
      assert.deepEqual(found.flat(), ['ORD-2400', 'ORD-1200', 'ORD-1']);
      assert.ok(found.every((page) => page.length <= 2));
    });

    test('filters an order that comes again by its new body', async () => {
      await put([orderOf(1, { customerId: 'A' })]);
      await put([orderOf(1, { customerId: 'B' })], 5);
      assert.deepEqual(await listed({ customerId: 'A' }), []);
      assert.deepEqual(await listed({ customerId: 'B' }), ['ORD-1']);
    });
  });

  describe('the history', () => {
    test('of an unknown order is null', async () => {
      assert.equal(await dbNow().history('ORD-1', null, 10), null);
    });

    test('gives only the events of its order, last first, as they were', async () => {
      await put([orderOf(1), orderOf(2)]);
      const created = event('ORD-1', { type: 'ORDER_CREATED', version: 1, status: 'new', offset: 10 });
      const unversioned = event('ORD-1', { version: null, offset: 12, timestamp: FIRST_DAY + 1 });
      await appendTo(dbNow(), created, event('ORD-2', { offset: 11 }), unversioned);
      assert.deepEqual(await dbNow().history('ORD-1', null, 10), [
        { sequence: 3, ...unversioned },
        { sequence: 1, ...created },
      ]);
    });

    test('goes on over transactions, and has events that changed nothing', async () => {
      await put([orderOf(1)]);
      await appendTo(dbNow(), event('ORD-1', { offset: 1 }), event('ORD-1', { offset: 2 }));
      await appendTo(dbNow(), event('ORD-1', { offset: 3, outcome: 'duplicate' }));
      await setStatus('ORD-1', 'shipped');
      await appendTo(dbNow(), event('ORD-1', { offset: 4 }));
      assert.deepEqual(await offsetsIn(dbNow(), 'ORD-1'), [4, 3, 2, 1]);
    });

    test('is paged by sequence, and the sequence of another order gives nothing', async () => {
      await put([orderOf(1), orderOf(2)]);
      for (let offset = 1; offset <= 5; offset++)
        await appendTo(dbNow(), event('ORD-1', { offset }), event('ORD-2', { offset: offset + 100, partition: 2 }));
      const first = (await dbNow().history('ORD-1', null, 2)) ?? [];
      assert.deepEqual(
        first.map(({ offset }) => offset),
        [5, 4],
      );
      assert.deepEqual(await offsetsIn(dbNow(), 'ORD-1', first.at(-1)?.sequence, 2), [3, 2]);
      assert.deepEqual(await offsetsIn(dbNow(), 'ORD-2', first.at(-1)?.sequence), []);
      assert.deepEqual(await offsetsIn(dbNow(), 'ORD-1', 999), []);
    });

    test('begins with the statuses that were pending', async () => {
      const pending = { orderId: 'ORD-1', version: 2, status: 'shipped', pendingSince: 1 } as const;
      const first = event('ORD-1', { offset: 1, outcome: 'waiting' });
      await applyNext(dbNow(), anAppliedBatch({ positions: stepsOver([first]), views: [pending], history: [first] }));
      assert.deepEqual(await offsetsIn(dbNow(), 'ORD-1'), [1]);
      await appendTo(dbNow(), event('ORD-1', { offset: 2, outcome: 'duplicate' }));
      const { basis } = await dbNow().load(['ORD-1'], []);
      const history = [event('ORD-1', { offset: 3, type: 'ORDER_CREATED' })];
      const views = [{ ...pending, pendingSince: null }];
      const positions = stepsOver(history);
      await applyNext(dbNow(), anAppliedBatch({ positions, views, orders: [orderOf(1)], history, basis }));
      assert.deepEqual(await offsetsIn(dbNow(), 'ORD-1'), [3, 2, 1]);
    });
  });

  describe('the stream of events', () => {
    test('of an empty store is at its start, and goes on from there', async () => {
      const place = await dbNow().lastEventId();
      assert.deepEqual(await dbNow().eventsAfter(place, 10), []);
      assert.equal(await dbNow().missedSince(place, 10), 0);
      await appendTo(dbNow(), event('ORD-1', { offset: 1 }));
      assert.deepEqual(await offsetsAfter(dbNow(), place), [[1, 'ORD-1']]);
      assert.equal(await dbNow().missedSince(place, 10), 1);
    });

    test('goes on after each of its events, with all that came after it', async () => {
      await put([orderOf(1), orderOf(2)]);
      await appendTo(dbNow(), event('ORD-1', { offset: 1 }), event('ORD-2', { offset: 2 }));
      await appendTo(dbNow(), event('ORD-1', { offset: 3 }));
      const all = await dbNow().eventsAfter(STREAM_START, 10);
      assert.deepEqual(
        all.map(({ id: _id, sequence: _sequence, ...found }) => found),
        [event('ORD-1', { offset: 1 }), event('ORD-2', { offset: 2 }), event('ORD-1', { offset: 3 })],
      );
      for (const [n, { id }] of all.entries()) {
        assert.deepEqual(await dbNow().eventsAfter(id, 10), all.slice(n + 1));
        assert.equal(await dbNow().missedSince(id, 10), 2 - n);
      }
      assert.deepEqual(await offsetsAfter(dbNow(), STREAM_START, 2), [
        [1, 'ORD-1'],
        [2, 'ORD-2'],
      ]);
      assert.equal(await dbNow().missedSince(STREAM_START, 2), 2);
      assert.deepEqual(await offsetsAfter(dbNow(), await dbNow().lastEventId()), []);
    });

    test('is bounded by a later place', async () => {
      await appendTo(dbNow(), event('ORD-1', { offset: 1 }), event('ORD-1', { offset: 2 }));
      const place = await dbNow().lastEventId();
      await appendTo(dbNow(), event('ORD-1', { offset: 3 }));
      assert.deepEqual(await offsetsAfter(dbNow(), STREAM_START, 10, place), [
        [1, 'ORD-1'],
        [2, 'ORD-1'],
      ]);
      assert.deepEqual(await offsetsAfter(dbNow(), place, 10, place), []);
    });

    test('goes on from the places of another process, and after the store is opened again', async () => {
      await appendTo(dbNow(), event('ORD-1', { offset: 1 }));
      const place = await dbNow().lastEventId();
      await appendTo(dbNow(), event('ORD-1', { offset: 2, partition: 3 }), event('ORD-1', { offset: 2 }));
      await reopen();
      assert.deepEqual(await offsetsAfter(dbNow(), place), [
        [2, 'ORD-1'],
        [2, 'ORD-1'],
      ]);
    });
  });
};
