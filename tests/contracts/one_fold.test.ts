import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { OrderEvent } from '#kafka_common/events.ts';
import { ORDER_STATUSES } from '#kafka_common/models.ts';
import { EMPTY_CART_BATCH } from '#cart_service/store/cart_store.ts';
import { created, statusUpdated } from '#tests/support/events.ts';
import { createCartDisk, createSimulatedCartStore } from '#tests/simulation/simulated_cart_store.ts';
import { applyEvents } from '#order_service/order_event_handler.ts';
import type { OrderView } from '#order_service/consumer_db.ts';
import { learnFrom } from '#cart_service/log/learn_from_log.ts';

const NO_OPEN_EVENTS = () => new Map<string, number>();

const at = (offset: number, events: readonly OrderEvent[]) =>
  events.map((event, index) => ({ event, offset: offset + index }));

const ORDER_IDS = ['ORD-1', 'ORD-2'];

/** What both services believe of the orders after batches of the log, as `[version, status]`. */
const beliefsAfter = async (batches: readonly (readonly OrderEvent[])[]) => {
  const store = createSimulatedCartStore(createCartDisk());
  const views = new Map<string, OrderView>();
  const seenEventIds = new Set<string>();
  for (const events of batches) {
    const { orders: learned } = await learnFrom(store, at(0, events), NO_OPEN_EVENTS);
    await store.commit({ ...EMPTY_CART_BATCH, learned });
    const changes = applyEvents({ views, seenEventIds }, events, 0);
    for (const view of changes.views) views.set(view.orderId, view);
    for (const id of changes.unversionedEventIds) seenEventIds.add(id);
  }
  const { orders } = await store.load(ORDER_IDS, []);
  const beliefsOf = (from: ReadonlyMap<string, { version: number; status: string }>) =>
    ORDER_IDS.map((id) => [from.get(id)?.version, from.get(id)?.status]);
  return { cart: beliefsOf(orders), view: beliefsOf(views) };
};

/** Each event has its own id: the Cart Service does not remember the ids of events without a version. */
const anyEvents = fc
  .array(
    fc.record({
      orderId: fc.constantFrom(...ORDER_IDS),
      version: fc.option(fc.integer({ min: 1, max: 5 })),
      status: fc.constantFrom(...ORDER_STATUSES),
      creates: fc.boolean(),
      endsBatch: fc.boolean(),
    }),
    { maxLength: 12 },
  )
  .map((events) => {
    const batches: OrderEvent[][] = [[]];
    events.forEach(({ orderId, version, status, creates, endsBatch }, n) => {
      const event = creates
        ? created(orderId, version, `e${n}`, { status })
        : statusUpdated(orderId, version, status, `e${n}`);
      batches.at(-1)?.push(event);
      if (endsBatch) batches.push([]);
    });
    return batches;
  });

describe('what the Cart Service learns from the log', () => {
  test('is what the view shows, for any events of others in any batches', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvents, async (batches) => {
        const { cart, view } = await beliefsAfter(batches);
        assert.deepEqual(cart, view);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is nothing, if a second creation comes with a higher version', async () => {
    const second = created('ORD-1', 9, 'another', { status: 'cancelled' });
    const { cart } = await beliefsAfter([[created('ORD-1')], [second]]);
    assert.deepEqual(cart[0], [1, 'new']);
  });

  test('is the event of this service, also after a status without a version', async () => {
    const store = createSimulatedCartStore(createCartDisk());
    const learn = async (event: OrderEvent) =>
      store.commit({
        ...EMPTY_CART_BATCH,
        learned: (await learnFrom(store, at(0, [event]), () => new Map([['ORD-1', Infinity]]))).orders,
      });
    await learn(created('ORD-1'));
    const promise = {
      state: { orderId: 'ORD-1', version: 2, status: 'confirmed' },
      previous: { orderId: 'ORD-1', version: 1, status: 'new' },
    } as const;
    // Promised, and not read from the log yet.
    await store.commit({ ...EMPTY_CART_BATCH, orders: [promise] });
    await learn(statusUpdated('ORD-1', null, 'shipped', 'foreign'));
    await learn(statusUpdated('ORD-1', 2, 'confirmed'));
    assert.deepEqual((await store.load(['ORD-1'], [])).orders.get('ORD-1'), {
      orderId: 'ORD-1',
      version: 2,
      status: 'confirmed',
    });
  });
});
