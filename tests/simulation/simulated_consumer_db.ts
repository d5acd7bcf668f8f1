import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Order } from '#kafka_common/models.ts';
import type {
  AppliedBatch,
  ConsumerDb,
  OrderFilter,
  OrderPage,
  OrderSortKey,
  OrderView,
  PartitionPosition,
  StoredDeadLetter,
  StoredEvent,
  ViewedOrder,
} from '#order_service/consumer_db.ts';
import { StoreError } from '#service_common/store_error.ts';
import { createDisk, type Disk, DIRECT, type StoreLine } from './disk.ts';

interface ViewState {
  /** In the order first received; `order` is as it was created. */
  readonly orders: ReadonlyMap<string, { readonly view: OrderView; readonly order: Order }>;
  /** The views of orders that have not arrived yet. */
  readonly pending: ReadonlyMap<string, OrderView>;
  readonly seenEventIds: ReadonlySet<string>;
  /** Keys are the topic, then the partition. */
  readonly positions: ReadonlyMap<string, ReadonlyMap<number, PartitionPosition>>;
  readonly deadLetters: readonly StoredDeadLetter[];
  /** The events of all orders. The sequence of an event is its index plus 1. */
  readonly events: readonly StoredEvent[];
}

export type ViewDisk = Disk<ViewState>;

export const createViewDisk = (): ViewDisk =>
  createDisk({
    orders: new Map(),
    pending: new Map(),
    seenEventIds: new Set(),
    positions: new Map(),
    deadLetters: [],
    events: [],
  });

const PAGE_SIZE = 1_000;
/** No client of the simulation resumes a stream. */
const SIMULATED_VIEW = '0123456789abcdef';

/** A consumer db in memory. Its disk outlives it, and several processes may share the disk. */
export const createSimulatedConsumerDb = (disk: ViewDisk, line: StoreLine = DIRECT): ConsumerDb => {
  let isOpen = true;

  const read = <T>(name: string, query: (state: ViewState) => T): Promise<T> =>
    line.call(`consumer db: ${name}`, () => {
      if (!isOpen) throw new StoreError('STORE_UNAVAILABLE', 'the store is closed');
      return query(disk.state);
    });

  return {
    viewId: SIMULATED_VIEW,
    load: (orderIds, eventIds) =>
      read('load', ({ orders, pending, seenEventIds }) => ({
        views: new Map(
          orderIds.flatMap((id) => {
            const view = orders.get(id)?.view ?? pending.get(id);
            return view === undefined ? [] : [[id, view] as const];
          }),
        ),
        seenEventIds: new Set(eventIds.filter((id) => seenEventIds.has(id))),
        basis: disk.history.length,
      })),
    applyBatch: (batch) =>
      read('apply', () =>
        disk.commit((state) => {
          const after = stateAfter(state, batch);
          if (batch.basis !== null && batch.basis !== disk.history.length)
            throw new StoreError('STORE_CHANGED', 'another process has changed the view since');
          return after;
        }),
      ),
    positions: (topic) =>
      read('positions', ({ positions }) =>
        [...(positions.get(topic)?.values() ?? [])].toSorted((a, b) => a.partition - b.partition),
      ),
    commits: () => read('commits', () => disk.history.length),
    knownAmong: (orderIds) => read('known', ({ orders }) => orderIds.filter((id) => orders.has(id))),
    order: (orderId) =>
      read('order', ({ orders }) => {
        const known = orders.get(orderId);
        return known === undefined ? null : viewed(known);
      }),
    orders: (filter, key, limit) => read('orders', ({ orders }) => listing([...orders.values()], filter, key, limit)),
    history: (id, before, limit) =>
      read('history', ({ orders, pending, events }) => {
        if (!orders.has(id) && !pending.has(id)) return null;
        const own = events.filter(({ orderId }) => orderId === id);
        if (before !== null && !own.some(({ sequence }) => sequence === before)) return [];
        return own
          .filter(({ sequence }) => before === null || sequence < before)
          .toReversed()
          .slice(0, limit);
      }),
    eventsAfter: (after, limit, upTo) =>
      read('events', ({ events }) =>
        events
          .slice(Number(after), upTo === undefined ? undefined : Number(upTo))
          .slice(0, limit)
          .map((event) => ({ ...event, id: String(event.sequence) })),
      ),
    lastEventId: () => read('last event id', ({ events }) => String(events.length)),
    missedSince: (id, limit) =>
      read('missed', ({ events }) =>
        Number(id) <= events.length ? Math.min(limit, events.length - Number(id)) : null,
      ),
    async *orderIds() {
      const ids = await read('ids', ({ orders }) => [...orders.keys()]);
      for (let n = 0; n < ids.length; n += PAGE_SIZE) {
        yield ids.slice(n, n + PAGE_SIZE);
        await othersTurn();
      }
    },
    pending: (limit) =>
      read('pending', ({ pending }) =>
        [...pending.values()].toSorted((a, b) => Number(a.pendingSince) - Number(b.pendingSince)).slice(0, limit),
      ),
    deadLetters: (afterId, limit, state = 'all') =>
      read('dead letters', ({ deadLetters }) =>
        deadLetters
          .filter(({ id, redrive }) => id > afterId && (state === 'all' || (state === 'held') === (redrive === null)))
          .slice(0, limit),
      ),
    lastDeadLetter: () => read('last dead letter', ({ deadLetters }) => deadLetters.at(-1)?.id ?? 0),
    counts: () =>
      read('counts', ({ orders, pending, deadLetters }) => ({
        orders: orders.size,
        pending: pending.size,
        deadLetters: deadLetters.length,
        heldDeadLetters: deadLetters.filter(({ redrive }) => redrive === null).length,
      })),
    // oxlint-disable-next-line require-await -- the seam is asynchronous
    close: async () => {
      isOpen = false;
    },
  };
};

/** @throws StoreError for what a database would refuse by its own rules */
const stateAfter = (state: ViewState, batch: AppliedBatch): ViewState => {
  const positions = new Map(state.positions);
  for (const { topic, partition, topicId, from, next } of batch.positions) {
    const stored = state.positions.get(topic)?.get(partition);
    const position = stored?.topicId === topicId ? stored.next : null;
    if (position !== from) {
      throw new StoreError('STORE_OVERTAKEN', `partition ${partition} stands at ${position}, not at ${from}`);
    }
    positions.set(topic, new Map(positions.get(topic)).set(partition, { partition, topicId, next }));
  }
  const orders = new Map(state.orders);
  const pending = new Map(state.pending);
  const bodies = new Map(batch.orders.map((order) => [order.orderId, order]));

  for (const view of batch.views) {
    const { orderId } = view;
    const order = bodies.get(orderId) ?? orders.get(orderId)?.order;
    if (view.pendingSince !== null) {
      const since = pending.get(orderId)?.pendingSince ?? view.pendingSince;
      pending.set(orderId, { ...view, pendingSince: since });
    } else if (order !== undefined) {
      orders.set(orderId, { view, order });
      if (bodies.has(orderId)) pending.delete(orderId);
    }
  }
  if (batch.deadLetters.some(({ reason }) => typeof reason !== 'string')) {
    throw new StoreError('STORE_UNAVAILABLE', 'a dead letter has no reason');
  }
  const firstId = state.deadLetters.length + 1;
  const setAside = batch.deadLetters.map((letter, n) => ({ ...letter, id: firstId + n, redrive: null }));
  const deadLetters = [...state.deadLetters, ...setAside];
  for (const { letter, ...redrive } of batch.redriven) {
    const n = deadLetters.findLastIndex(
      (one) =>
        one.redrive === null &&
        one.topic === letter.topic &&
        one.partition === letter.partition &&
        one.offset === letter.offset,
    );
    const found = deadLetters[n];
    if (found) deadLetters[n] = { ...found, redrive };
  }
  return {
    orders,
    pending,
    seenEventIds: new Set([...state.seenEventIds, ...batch.unversionedEventIds]),
    positions,
    deadLetters,
    events: [
      ...state.events,
      ...batch.history.map((event, n) => ({ ...event, sequence: state.events.length + 1 + n })),
    ],
  };
};

type Known = ViewState['orders'] extends ReadonlyMap<string, infer Value> ? Value : never;

const viewed = ({ view, order }: Known): ViewedOrder => ({ ...order, status: view.status, version: view.version });

const listing = (
  known: readonly Known[],
  { status, customerId, from, to }: OrderFilter,
  after: OrderSortKey | null,
  limit: number,
): OrderPage => {
  const matching = known
    .map((one, n) => ({ order: viewed(one), orderedAt: Date.parse(one.order.orderDate), arrival: n + 1 }))
    .toSorted((a, b) => b.orderedAt - a.orderedAt || b.arrival - a.arrival)
    .filter(
      ({ order, orderedAt, arrival }) =>
        (status === undefined || order.status === status) &&
        (customerId === undefined || order.customerId === customerId) &&
        (from === undefined || orderedAt >= from) &&
        (to === undefined || orderedAt < to) &&
        (after === null || orderedAt < after.orderedAt || (orderedAt === after.orderedAt && arrival < after.arrival)),
    );
  const page = matching.slice(0, limit);
  const last = page.at(-1);
  return {
    orders: page.map(({ order }) => order),
    next: last === undefined || page.length < limit ? null : { orderedAt: last.orderedAt, arrival: last.arrival },
  };
};
