import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OrderEvent } from '#kafka_common/events.ts';
import { EMPTY_CART_BATCH, type LoadedOrders } from '#cart_service/store/cart_store.ts';
import { batchOf, created, statusUpdated } from '#tests/support/events.ts';
import { createCartDisk, createSimulatedCartStore } from '#tests/simulation/simulated_cart_store.ts';
import { eventsIn, learnFrom, type OpenEvents } from './learn_from_log.ts';

const ORDER = 'ORD-1';
const NOTHING_OPEN: OpenEvents = () => new Map();
const OPEN: OpenEvents = () => new Map([[ORDER, Infinity]]);
const NO_ORDERS: LoadedOrders = {
  orders: new Map(),
  logged: new Map(),
  unanswered: new Map(),
  idempotency: new Map(),
  openElsewhere: new Set(),
};

const at = (...events: readonly OrderEvent[]) => events.map((event, offset) => ({ event, offset }));

/** The first part of these events was promised and read from the log, then the others were promised. */
const storeWith = async (read: readonly OrderEvent[], promised: readonly OrderEvent[] = [], ahead?: number) => {
  const store = createSimulatedCartStore(createCartDisk());
  const states = promised.map((event) => ({
    orderId: ORDER,
    version: event.version ?? 0,
    status: event.type === 'ORDER_CREATED' ? event.order.status : event.status,
  }));
  const { orders: learned } = await learnFrom(store, at(...read), OPEN);
  await store.commit({ ...EMPTY_CART_BATCH, learned });
  for (const state of states) {
    const previous = (await store.load([ORDER], [])).orders.get(ORDER) ?? null;
    await store.commit({ ...EMPTY_CART_BATCH, orders: [{ state, previous }] });
  }
  const version = promised.at(-1)?.version ?? 0;
  if (ahead !== undefined)
    await store.commit({ ...EMPTY_CART_BATCH, ahead: [{ orderId: ORDER, version, offset: ahead }] });
  return store;
};

const learnt = (version: number, status: string, changes: { isPending?: boolean; logged?: number } = {}) => ({
  orderId: ORDER,
  version,
  status,
  isPending: false,
  logged: version,
  ...changes,
});

describe('what is learned from the log', () => {
  test('is from its events, with their offsets, and not from other records', () => {
    const event = created(ORDER);
    assert.deepEqual(eventsIn(batchOf(0, 7, ['no event', event])), [{ offset: 8, event }]);
  });

  test('is an order of another producer', async () => {
    const store = await storeWith([]);
    const events = [created(ORDER), statusUpdated(ORDER, 2, 'confirmed')];
    const { orders, changed } = await learnFrom(store, at(...events), NOTHING_OPEN);
    assert.deepEqual([orders, changed], [[learnt(2, 'confirmed')], [ORDER]]);
  });

  test('is a pending status, if its order has not arrived', async () => {
    const store = await storeWith([]);
    const { orders, changed } = await learnFrom(
      store,
      [{ event: statusUpdated(ORDER, 2, 'confirmed'), offset: 0 }],
      NOTHING_OPEN,
    );
    assert.deepEqual([orders, changed], [[learnt(2, 'confirmed', { isPending: true })], [ORDER]]);
  });

  test('changes an order whose pending status is confirmed by its creation', async () => {
    const pending = statusUpdated(ORDER, 2, 'confirmed');
    const store = await storeWith([pending]);
    const { orders, changed } = await learnFrom(store, [{ event: created(ORDER), offset: 1 }], NOTHING_OPEN);
    assert.deepEqual([orders, changed], [[learnt(2, 'confirmed')], [ORDER]]);
  });

  test('is only that the log has it, if the event is of this service', async () => {
    const store = await storeWith([], [created(ORDER)]);
    const { orders, changed } = await learnFrom(store, [{ event: created(ORDER), offset: 0 }], OPEN);
    assert.deepEqual([orders, changed], [[learnt(1, 'new')], []]);
  });

  test('is nothing, if it was read before', async () => {
    const store = await storeWith([created(ORDER)]);
    const { orders, changed } = await learnFrom(store, [{ event: created(ORDER), offset: 0 }], NOTHING_OPEN);
    assert.deepEqual([orders, changed], [[], []]);
  });

  test('is a status without a version, and the versions promised and read stay', async () => {
    const store = await storeWith([created(ORDER)], [statusUpdated(ORDER, 2, 'confirmed')]);
    const event = statusUpdated(ORDER, null, 'cancelled');
    const { orders, changed } = await learnFrom(store, [{ event, offset: 1 }], OPEN);
    assert.deepEqual([orders, changed], [[learnt(2, 'cancelled', { logged: 1 })], [ORDER]]);
  });

  test('is a status without a version of an unknown order, of which no version was read', async () => {
    const event = statusUpdated(ORDER, null, 'cancelled');
    const { orders } = await learnFrom(await storeWith([]), [{ event, offset: 1 }], NOTHING_OPEN);
    assert.deepEqual(orders, [learnt(0, 'cancelled', { isPending: true })]);
  });

  for (const [where, ahead, offset, expected] of [
    ['before the event of this service', 5, 5, 'shipped'],
    ['behind the event of this service', 5, 6, 'confirmed'],
  ] as const) {
    test(`is the event of others with a promised version only ${where}: ${expected}`, async () => {
      const store = await storeWith([created(ORDER)], [statusUpdated(ORDER, 2, 'confirmed')], ahead);
      const event = statusUpdated(ORDER, 2, 'shipped', 'foreign');
      const { orders, changed } = await learnFrom(store, [{ event, offset }], NOTHING_OPEN);
      const isTaken = expected === 'shipped';
      assert.deepEqual([orders, changed], isTaken ? [[learnt(2, 'shipped')], [ORDER]] : [[], []]);
    });
  }

  for (const [when, before, after] of [
    ['before the store is asked', Infinity, undefined],
    ['while the store is asked', undefined, Infinity],
  ] as const) {
    test(`knows an event of this service that is open only ${when}`, async () => {
      const store = await storeWith([created(ORDER)], [statusUpdated(ORDER, 2, 'confirmed')]);
      const answers = [before, after].values();
      const openEvents: OpenEvents = () => {
        const ahead = answers.next().value;
        return new Map(ahead === undefined ? [] : [[ORDER, ahead]]);
      };
      const event = statusUpdated(ORDER, 2, 'shipped', 'foreign');
      assert.deepEqual((await learnFrom(store, [{ event, offset: 9 }], openEvents)).changed, [ORDER]);
    });
  }

  test('is not an event of others with a version that the log has given', async () => {
    const events = [created(ORDER), statusUpdated(ORDER, 2, 'confirmed')];
    const store = await storeWith(events);
    const event = statusUpdated(ORDER, 2, 'shipped', 'foreign');
    assert.deepEqual((await learnFrom(store, [{ event, offset: 3 }], OPEN)).orders, []);
  });

  test('is an earlier version, if the promised one is later, without a change of the order', async () => {
    const store = await storeWith([], [created(ORDER), statusUpdated(ORDER, 2, 'confirmed')]);
    const { orders, changed } = await learnFrom(store, [{ event: created(ORDER), offset: 0 }], OPEN);
    assert.deepEqual([orders, changed], [[], []]);
  });

  test('is a creation of others in place of the promised one', async () => {
    const store = await storeWith([], [created(ORDER)]);
    const event = created(ORDER, 1, 'foreign', { status: 'shipped' });
    const { orders, changed } = await learnFrom(store, [{ event, offset: 0 }], OPEN);
    assert.deepEqual([orders, changed], [[learnt(1, 'shipped')], [ORDER]]);
  });

  test('is not a creation of others in place of a promised update', async () => {
    const store = await storeWith([created(ORDER)], [statusUpdated(ORDER, 2, 'confirmed')]);
    const event = created(ORDER, 2, 'foreign', { status: 'shipped' });
    assert.deepEqual((await learnFrom(store, [{ event, offset: 1 }], OPEN)).orders, []);
  });

  test('is no event of others with a promised version, if nothing unknown lies before the event of this service', async () => {
    const store = await storeWith([created(ORDER)], [statusUpdated(ORDER, 2, 'confirmed')]);
    const event = statusUpdated(ORDER, 2, 'shipped', 'foreign');
    assert.deepEqual((await learnFrom(store, [{ event, offset: 0 }], NOTHING_OPEN)).orders, []);
  });

  test('is nothing, if a status without a version repeats the status', async () => {
    const store = await storeWith([created(ORDER)]);
    const event = statusUpdated(ORDER, null, 'new');
    assert.deepEqual((await learnFrom(store, [{ event, offset: 1 }], NOTHING_OPEN)).orders, []);
  });

  test('is every event of others before the one of this service', async () => {
    const store = await storeWith([created(ORDER)], [statusUpdated(ORDER, 2, 'confirmed')]);
    const events = [statusUpdated(ORDER, null, 'shipped'), statusUpdated(ORDER, 2, 'cancelled', 'foreign')];
    const { orders } = await learnFrom(store, at(...events), OPEN);
    assert.deepEqual(orders, [learnt(2, 'cancelled')]);
  });

  test('asks the store once for each order', async () => {
    const asked: unknown[] = [];
    const load = (...args: unknown[]) => {
      asked.push(args);
      return Promise.resolve(NO_ORDERS);
    };
    await learnFrom({ load }, at(created(ORDER), created(ORDER), created('ORD-2')), NOTHING_OPEN);
    assert.deepEqual(asked, [[[ORDER, 'ORD-2'], []]]);
  });
});
