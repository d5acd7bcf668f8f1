import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { OrderEvent } from '#kafka_common/events.ts';
import { type Order, ORDER_STATUSES } from '#kafka_common/models.ts';
import type { OrderView } from './consumer_db.ts';
import { applyEvent, applyEvents, type Effect } from './order_event_handler.ts';
import { anOrder, created, statusUpdated } from '#tests/support/events.ts';

const NOW = 1_768_737_600_000;
const ID = 'ORD-123';

/** What a store holds after batches were applied to it. */
interface State {
  readonly views: Map<string, OrderView>;
  readonly orders: Map<string, Order>;
  readonly seenEventIds: Set<string>;
  readonly outcomes: Record<Effect['outcome'], number>;
}

const afterBatches = (...batches: readonly (readonly OrderEvent[])[]): State => {
  const state: State = {
    views: new Map(),
    orders: new Map(),
    seenEventIds: new Set(),
    outcomes: { applied: 0, duplicate: 0, waiting: 0 },
  };
  for (const batch of batches) {
    const effect = applyEvents(state, batch, NOW);
    for (const view of effect.views) state.views.set(view.orderId, view);
    for (const order of effect.orders) state.orders.set(order.orderId, order);
    for (const id of effect.unversionedEventIds) state.seenEventIds.add(id);
    for (const outcome of effect.outcomes) state.outcomes[outcome] += 1;
  }
  return state;
};

const viewAfter = (...events: OrderEvent[]): OrderView | undefined => afterBatches(events).views.get(ID);

const waitingView = (effect: Effect): OrderView =>
  effect.outcome === 'waiting' ? effect.view : assert.fail(`${effect.outcome} instead of waiting`);

describe('a versioned event', () => {
  test('of a new order is applied', () => {
    assert.deepEqual(viewAfter(created(ID)), { orderId: ID, version: 1, status: 'new', waitingSince: null });
  });

  test('with the next version is applied', () => {
    assert.deepEqual(viewAfter(created(ID), statusUpdated(ID, 2, 'confirmed')), {
      orderId: ID,
      version: 2,
      status: 'confirmed',
      waitingSince: null,
    });
  });

  test('that skips a version is applied, and the skipped one ignored afterwards', () => {
    const view = viewAfter(created(ID), statusUpdated(ID, 3, 'shipped'), statusUpdated(ID, 2, 'confirmed'));
    assert.deepEqual([view?.version, view?.status], [3, 'shipped']);
  });

  test('with the version of the view is a duplicate, whatever its event id', () => {
    const view = viewAfter(created(ID), statusUpdated(ID, 2, 'confirmed'));
    assert.deepEqual(applyEvent(view, statusUpdated(ID, 2, 'cancelled', 'another'), false, NOW), {
      outcome: 'duplicate',
    });
  });

  test('that repeats the creation is a duplicate', () => {
    const { outcomes } = afterBatches([created(ID), created(ID)]);
    assert.deepEqual(outcomes, { applied: 1, duplicate: 1, waiting: 0 });
  });
});

describe('a status before its order', () => {
  test('waits since the first one came, the newest winning', () => {
    const first = waitingView(applyEvent(undefined, statusUpdated(ID, 2, 'confirmed'), false, NOW));
    const second = waitingView(applyEvent(first, statusUpdated(ID, 3, 'shipped'), false, NOW + 5_000));
    assert.deepEqual(second, { orderId: ID, version: 3, status: 'shipped', waitingSince: NOW });
    assert.equal(applyEvent(second, statusUpdated(ID, 2, 'confirmed'), false, NOW).outcome, 'duplicate');
  });

  test('stays the status when the order comes with a lower version', () => {
    const { views, orders } = afterBatches(
      [statusUpdated(ID, 3, 'shipped')],
      [created(ID)],
      [statusUpdated(ID, 2, 'confirmed')],
    );
    assert.deepEqual(views.get(ID), { orderId: ID, version: 3, status: 'shipped', waitingSince: null });
    assert.deepEqual(orders.get(ID), anOrder(ID));
  });

  test('gives way to the status of an order with the same or a higher version', () => {
    assert.equal(viewAfter(statusUpdated(ID, 1, 'pending'), created(ID, 1))?.status, 'new');
    assert.equal(viewAfter(statusUpdated(ID, 1, 'pending'), created(ID, 2))?.status, 'new');
  });

  test('stays the status when it has no version', () => {
    for (const version of [null, 1]) {
      const view = viewAfter(statusUpdated(ID, null, 'shipped'), created(ID, version));
      assert.deepEqual(view, { orderId: ID, version: version ?? 0, status: 'shipped', waitingSince: null });
    }
  });
});

describe('an event without a version', () => {
  test('is applied in order of arrival and leaves the version as it is', () => {
    const view = viewAfter(created(ID), statusUpdated(ID, 2, 'confirmed'), statusUpdated(ID, null, 'pending'));
    assert.deepEqual([view?.version, view?.status], [2, 'pending']);
  });

  test('is a duplicate when its event id was applied before, in this batch or an earlier one', () => {
    const events = [created(ID, null), statusUpdated(ID, null, 'confirmed'), statusUpdated(ID, null, 'shipped')];
    const again = statusUpdated(ID, null, 'confirmed');
    for (const state of [afterBatches([...events, again]), afterBatches(events, [again])]) {
      assert.equal(state.views.get(ID)?.status, 'shipped');
      assert.equal(state.outcomes.duplicate, 1);
    }
  });

  test('that creates an order which is there is a duplicate, whatever its event id', () => {
    const { outcomes, orders } = afterBatches([created(ID), created(ID, null, 'another', { customerId: 'CUST-2' })]);
    assert.equal(outcomes.duplicate, 1);
    assert.equal(orders.get(ID)?.customerId, 'CUST-00042');
  });
});

const status = fc.constantFrom(...ORDER_STATUSES);

/** The events of one order by version: mostly created first, but other producers may differ, and a creation may be missing. */
const versionedEvents = fc
  .tuple(fc.array(status, { minLength: 1, maxLength: 8 }), fc.oneof(fc.constant(0), fc.nat(9)))
  .map(([statuses, createdAt]) =>
    statuses.map((each, index) =>
      index === createdAt
        ? created(ID, index + 1, `event-${index}`, { status: each })
        : statusUpdated(ID, index + 1, each, `event-${index}`),
    ),
  );

/** Each of the events at least once, in any order. */
const deliveriesOf = <T>(events: readonly T[]): fc.Arbitrary<T[]> =>
  fc
    .array(fc.constantFrom(...events), { maxLength: 8 })
    .chain((repeated) => fc.shuffledSubarray([...events, ...repeated], { minLength: events.length + repeated.length }));

test('versioned events of one order, delivered in any order and any number of times, give the fold by version', () => {
  const delivered = versionedEvents.chain((events) => fc.tuple(fc.constant(events), deliveriesOf(events)));
  fc.assert(
    fc.property(delivered, ([events, deliveries]) => {
      const { views, orders } = afterBatches(deliveries);
      const creation = events.find((event) => event.type === 'ORDER_CREATED');
      const last = events.at(-1);
      assert.deepEqual(views.get(ID), {
        orderId: ID,
        version: events.length,
        status: last?.type === 'ORDER_CREATED' ? last.order.status : last?.status,
        waitingSince: creation ? null : NOW,
      });
      assert.deepEqual(orders.get(ID), creation?.order);
    }),
    { numRuns: 1_000 },
  );
});

const anyEvent: fc.Arbitrary<OrderEvent> = fc
  .record({
    orderId: fc.constantFrom('ORD-1', 'ORD-2', 'ORD-3'),
    version: fc.option(fc.integer({ min: 1, max: 5 })),
    eventId: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    status,
    creates: fc.boolean(),
  })
  .map(({ orderId, version, eventId, status: to, creates }) =>
    creates ? created(orderId, version, eventId, { status: to }) : statusUpdated(orderId, version, to, eventId),
  );

test('any events, split into batches anywhere, have the effect of one batch', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyEvent, { maxLength: 6 }), { maxLength: 6 }), (batches) => {
      assert.deepEqual(afterBatches(...batches), afterBatches(batches.flat()));
    }),
    { numRuns: 1_000 },
  );
});

test('any events, redelivered as a whole, change nothing', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
      const { outcomes: _once, ...once } = afterBatches(events);
      const { outcomes: _twice, ...twice } = afterBatches(events, events);
      assert.deepEqual(twice, once);
    }),
    { numRuns: 1_000 },
  );
});
