import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Order } from '#kafka_common/models.ts';
import type {
  AppliedBatch,
  ConsumerDb,
  OrderFilter,
  OrderPage,
  OrderPlace,
  OrderView,
  PartitionPosition,
  StoredDeadLetter,
  StoredEvent,
  ViewedOrder,
} from '#order_service/consumer_db.ts';
import { StoreError } from '#service_common/store_error.ts';
import { createDisk, type Disk, DIRECT, type StoreLine } from './disk.ts';

interface ViewState {
  /** In the order first received; the order as it was created. */
  readonly orders: ReadonlyMap<string, { readonly view: OrderView; readonly order: Order }>;
  readonly waiting: ReadonlyMap<string, OrderView>;
  readonly seenEventIds: ReadonlySet<string>;
  /** By topic, and then by partition. */
  readonly positions: ReadonlyMap<string, ReadonlyMap<number, PartitionPosition>>;
  readonly deadLetters: readonly StoredDeadLetter[];
  /** Of all orders; each sequence is one above its index. */
  readonly events: readonly StoredEvent[];
}

export type ViewDisk = Disk<ViewState>;

export const createViewDisk = (): ViewDisk =>
  createDisk({
    orders: new Map(),
    waiting: new Map(),
    seenEventIds: new Set(),
    positions: new Map(),
    deadLetters: [],
    events: [],
  });

const PAGE_SIZE = 1_000;

/** A consumer db in memory, on a disk that outlives it and that several processes may share. */
export const createSimulatedConsumerDb = (disk: ViewDisk, line: StoreLine = DIRECT): ConsumerDb => {
  let isOpen = true;

  const read = <T>(name: string, query: (state: ViewState) => T): Promise<T> =>
    line.call(`consumer db: ${name}`, () => {
      if (!isOpen) throw new StoreError('STORE_UNAVAILABLE', 'the store is closed');
      return query(disk.state);
    });

  return {
    load: (orderIds, eventIds) =>
      read('load', ({ orders, waiting, seenEventIds, events }) => ({
        views: new Map(
          orderIds.flatMap((id) => {
            const view = orders.get(id)?.view ?? waiting.get(id);
            return view === undefined ? [] : [[id, view] as const];
          }),
        ),
        lastEvents: new Map(
          orderIds.flatMap((id) => {
            const last = events.findLast(({ orderId }) => orderId === id);
            return last === undefined ? [] : [[id, last.sequence] as const];
          }),
        ),
        seenEventIds: new Set(eventIds.filter((id) => seenEventIds.has(id))),
      })),
    applyBatch: (batch) => read('apply', () => disk.commit((state) => after(state, batch))),
    positions: (topic) =>
      read('positions', ({ positions }) =>
        [...(positions.get(topic)?.values() ?? [])].toSorted((a, b) => a.partition - b.partition),
      ),
    order: (orderId) =>
      read('order', ({ orders }) => {
        const known = orders.get(orderId);
        return known === undefined ? null : viewed(known);
      }),
    orders: (filter, place, limit) =>
      read('orders', ({ orders }) => listing([...orders.values()], filter, place, limit)),
    history: (id, before, limit) =>
      read('history', ({ orders, waiting, events }) => {
        if (!orders.has(id) && !waiting.has(id)) return null;
        const own = events.filter(({ orderId }) => orderId === id);
        if (before !== null && !own.some(({ sequence }) => sequence === before)) return [];
        return own
          .filter(({ sequence }) => before === null || sequence < before)
          .toReversed()
          .slice(0, limit);
      }),
    eventsAfter: (sequence, limit) => read('events', ({ events }) => events.slice(sequence, sequence + limit)),
    lastSequence: () => read('last sequence', ({ events }) => events.length),
    async *orderIds() {
      const ids = await read('ids', ({ orders }) => [...orders.keys()]);
      for (let n = 0; n < ids.length; n += PAGE_SIZE) {
        yield ids.slice(n, n + PAGE_SIZE);
        await othersTurn();
      }
    },
    waiting: (limit) =>
      read('waiting', ({ waiting }) =>
        [...waiting.values()].toSorted((a, b) => Number(a.waitingSince) - Number(b.waitingSince)).slice(0, limit),
      ),
    deadLetters: (afterId, limit, state = 'all') =>
      read('dead letters', ({ deadLetters }) =>
        deadLetters
          .filter(({ id, redrive }) => id > afterId && (state === 'all' || (state === 'held') === (redrive === null)))
          .slice(0, limit),
      ),
    counts: () =>
      read('counts', ({ orders, waiting, deadLetters }) => ({
        orders: orders.size,
        waiting: waiting.size,
        deadLetters: deadLetters.length,
        heldDeadLetters: deadLetters.filter(({ redrive }) => redrive === null).length,
      })),
    // oxlint-disable-next-line require-await -- the seam is asynchronous
    close: async () => {
      isOpen = false;
    },
  };
};

/** @throws StoreError for what a database's own rules would refuse */
const after = (state: ViewState, batch: AppliedBatch): ViewState => {
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
  const waiting = new Map(state.waiting);
  const bodies = new Map(batch.orders.map((order) => [order.orderId, order]));

  for (const view of batch.views) {
    const { orderId } = view;
    const order = bodies.get(orderId) ?? orders.get(orderId)?.order;
    if (view.waitingSince !== null) {
      const since = waiting.get(orderId)?.waitingSince ?? view.waitingSince;
      waiting.set(orderId, { ...view, waitingSince: since });
    } else if (order !== undefined) {
      orders.set(orderId, { view, order });
      if (bodies.has(orderId)) waiting.delete(orderId);
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
    waiting,
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
  place: OrderPlace | null,
  limit: number,
): OrderPage => {
  const places = known
    .map((one, n) => ({ order: viewed(one), orderedAt: Date.parse(one.order.orderDate), arrival: n + 1 }))
    .toSorted((a, b) => b.orderedAt - a.orderedAt || b.arrival - a.arrival)
    .filter(
      ({ order, orderedAt, arrival }) =>
        (status === undefined || order.status === status) &&
        (customerId === undefined || order.customerId === customerId) &&
        (from === undefined || orderedAt >= from) &&
        (to === undefined || orderedAt < to) &&
        (place === null || orderedAt < place.orderedAt || (orderedAt === place.orderedAt && arrival < place.arrival)),
    );
  const page = places.slice(0, limit);
  const last = page.at(-1);
  return {
    orders: page.map(({ order }) => order),
    next: last === undefined || page.length < limit ? null : { orderedAt: last.orderedAt, arrival: last.arrival },
  };
};
