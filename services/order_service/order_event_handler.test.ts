import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { OrderEvent } from '#kafka_common/events.ts';
import { type Order, ORDER_STATUSES, type OrderStatus } from '#kafka_common/models.ts';
import type { EventOutcome, OrderView } from './consumer_db.ts';
import { applyEvent, applyEvents, type ViewChange } from './order_event_handler.ts';
import { anOrder, created, statusUpdated } from '#tests/support/events.ts';

const NOW = 1_768_737_600_000;
const ID = 'ORD-123';

/** What a store holds after batches were applied to it. */
interface State {
  readonly views: Map<string, OrderView>;
  readonly orders: Map<string, Order>;
  readonly seenEventIds: Set<string>;
  readonly outcomes: Record<EventOutcome, number>;
}

const afterBatches = (...batches: readonly (readonly OrderEvent[])[]): State => {
  const state: State = {
    views: new Map(),
    orders: new Map(),
    seenEventIds: new Set(),
    outcomes: { applied: 0, duplicate: 0, waiting: 0, conflict: 0 },
  };
  for (const batch of batches) {
    const changes = applyEvents(state, batch, NOW);
    for (const view of changes.views) state.views.set(view.orderId, view);
    for (const order of changes.orders) state.orders.set(order.orderId, order);
    for (const id of changes.unversionedEventIds) state.seenEventIds.add(id);
    for (const outcome of changes.outcomes) state.outcomes[outcome] += 1;
  }
  return state;
};

const viewAfter = (...events: OrderEvent[]): OrderView | undefined => afterBatches(events).views.get(ID);

const pendingView = (change: ViewChange): OrderView =>
  change.outcome === 'waiting' ? change.view : assert.fail(`${change.outcome} instead of waiting`);

describe('a versioned event', () => {
  test('of a new order is applied', () => {
    assert.deepEqual(viewAfter(created(ID)), { orderId: ID, version: 1, status: 'new', pendingSince: null });
  });

  test('with the next version is applied', () => {
    assert.deepEqual(viewAfter(created(ID), statusUpdated(ID, 2, 'confirmed')), {
      orderId: ID,
      version: 2,
      status: 'confirmed',
      pendingSince: null,
    });
  });

  test('that skips a version is applied, and the skipped event is ignored afterwards', () => {
    const view = viewAfter(created(ID), statusUpdated(ID, 3, 'shipped'), statusUpdated(ID, 2, 'confirmed'));
    assert.deepEqual([view?.version, view?.status], [3, 'shipped']);
  });

  test('with the version of the view is a duplicate, also with another event id', () => {
    const view = viewAfter(created(ID), statusUpdated(ID, 2, 'confirmed'));
    assert.deepEqual(applyEvent(view, statusUpdated(ID, 2, 'cancelled', 'another'), false, NOW), {
      outcome: 'duplicate',
      view: null,
    });
  });

  test('that repeats the creation is a duplicate', () => {
    const { outcomes } = afterBatches([created(ID), created(ID)]);
    assert.deepEqual(outcomes, { applied: 1, duplicate: 1, waiting: 0, conflict: 0 });
  });
});

describe('a status before its order', () => {
  test('is pending since the first status arrived, and the newest status wins', () => {
    const first = pendingView(applyEvent(undefined, statusUpdated(ID, 2, 'confirmed'), false, NOW));
    const second = pendingView(applyEvent(first, statusUpdated(ID, 3, 'shipped'), false, NOW + 5_000));
    assert.deepEqual(second, { orderId: ID, version: 3, status: 'shipped', pendingSince: NOW });
    assert.equal(applyEvent(second, statusUpdated(ID, 2, 'confirmed'), false, NOW).outcome, 'duplicate');
  });

  test('stays the status when the order comes with a lower version', () => {
    const { views, orders } = afterBatches(
      [statusUpdated(ID, 3, 'shipped')],
      [created(ID)],
      [statusUpdated(ID, 2, 'confirmed')],
    );
    assert.deepEqual(views.get(ID), { orderId: ID, version: 3, status: 'shipped', pendingSince: null });
    assert.deepEqual(orders.get(ID), anOrder(ID));
  });

  test('is replaced by the status of an order with the same or a higher version', () => {
    assert.equal(viewAfter(statusUpdated(ID, 1, 'pending'), created(ID, 1))?.status, 'new');
    assert.equal(viewAfter(statusUpdated(ID, 1, 'pending'), created(ID, 2))?.status, 'new');
  });

  test('stays the status when it has no version', () => {
    for (const version of [null, 1]) {
      const view = viewAfter(statusUpdated(ID, null, 'shipped'), created(ID, version));
      assert.deepEqual(view, { orderId: ID, version: version ?? 0, status: 'shipped', pendingSince: null });
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

  test('is told from one of another source with the same id', () => {
    const from = (source: string, to: OrderStatus): OrderEvent => ({ ...statusUpdated(ID, null, to, '1'), source });
    const events = [created(ID, null, '0'), from('/a', 'confirmed'), from('/b', 'shipped'), from('/a', 'confirmed')];
    for (const state of [afterBatches(events), afterBatches(...events.map((event) => [event]))]) {
      assert.equal(state.views.get(ID)?.status, 'shipped');
      assert.deepEqual(state.outcomes, { applied: 3, duplicate: 1, waiting: 0, conflict: 0 });
    }
  });

  test('is a duplicate of one without a source only if it has none', () => {
    const events = [created(ID, null, '0'), statusUpdated(ID, null, 'confirmed', '1')];
    const again = statusUpdated(ID, null, 'shipped', '1');
    assert.equal(afterBatches(events, [again]).views.get(ID)?.status, 'confirmed');
    assert.equal(afterBatches(events, [{ ...again, source: '/b' }]).views.get(ID)?.status, 'shipped');
  });

  test('that creates the order again with the same event id is a duplicate', () => {
    assert.equal(afterBatches([created(ID, null), created(ID, null)]).outcomes.duplicate, 1);
  });
});

describe('a second creation of an order', () => {
  for (const version of [null, 4, 2_147_483_647]) {
    test(`of version ${version} changes nothing, and is a conflict`, () => {
      const before = [created(ID), statusUpdated(ID, 3, 'shipped')];
      const second = created(ID, version, 'another', { customerId: 'CUST-2', status: 'cancelled' });
      const { outcomes, orders, views } = afterBatches(before, [second]);
      assert.equal(outcomes.conflict, 1);
      assert.deepEqual(views, afterBatches(before).views);
      assert.deepEqual(orders.get(ID), anOrder(ID));
    });
  }

  test('also changes nothing in the batch of the first one, and later statuses are applied', () => {
    const { outcomes, orders, views } = afterBatches([
      created(ID),
      created(ID, 9, 'another', { customerId: 'CUST-2' }),
      statusUpdated(ID, 2, 'confirmed'),
    ]);
    assert.deepEqual(outcomes, { applied: 2, duplicate: 0, waiting: 0, conflict: 1 });
    assert.equal(orders.get(ID)?.customerId, 'CUST-00042');
    assert.equal(views.get(ID)?.status, 'confirmed');
  });
});

const status = fc.constantFrom(...ORDER_STATUSES);

/** The events of one order by version. The creation is usually the first, but can come later or be missing. */
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

test('versioned events of one order, delivered in any order and any number of times, give their fold by version', () => {
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
        pendingSince: creation ? null : NOW,
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

test('any events that are all delivered again change nothing', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
      const { outcomes: _once, ...once } = afterBatches(events);
      const { outcomes: _twice, ...twice } = afterBatches(events, events);
      assert.deepEqual(twice, once);
    }),
    { numRuns: 1_000 },
  );
});
