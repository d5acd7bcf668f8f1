import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Order } from '#kafka_common/models.ts';
import type { AppliedBatch, ConsumerDb, DeadLetter, OrderView, PartitionPosition } from '#order_service/consumer_db.ts';
import { StoreError } from '#service_common/store_error.ts';
import { createDisk, type Disk, DIRECT, type StoreLine } from './disk.ts';

interface ViewState {
  /** In the order first received; the order as it was created. */
  readonly orders: ReadonlyMap<string, { readonly view: OrderView; readonly order: Order }>;
  readonly waiting: ReadonlyMap<string, OrderView>;
  readonly seenEventIds: ReadonlySet<string>;
  /** By topic, and then by partition. */
  readonly positions: ReadonlyMap<string, ReadonlyMap<number, PartitionPosition>>;
  readonly deadLetters: readonly (DeadLetter & { readonly id: number })[];
}

export type ViewDisk = Disk<ViewState>;

export const createViewDisk = (): ViewDisk =>
  createDisk({
    orders: new Map(),
    waiting: new Map(),
    seenEventIds: new Set(),
    positions: new Map(),
    deadLetters: [],
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
      read('load', ({ orders, waiting, seenEventIds }) => ({
        views: new Map(
          orderIds.flatMap((id) => {
            const view = orders.get(id)?.view ?? waiting.get(id);
            return view === undefined ? [] : [[id, view] as const];
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
        return known === undefined ? null : { ...known.order, status: known.view.status };
      }),
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
    deadLetters: (afterId, limit) =>
      read('dead letters', ({ deadLetters }) => deadLetters.filter(({ id }) => id > afterId).slice(0, limit)),
    counts: () =>
      read('counts', ({ orders, waiting, deadLetters }) => ({
        orders: orders.size,
        waiting: waiting.size,
        deadLetters: deadLetters.length,
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
  return {
    orders,
    waiting,
    seenEventIds: new Set([...state.seenEventIds, ...batch.unversionedEventIds]),
    positions,
    deadLetters: [...state.deadLetters, ...batch.deadLetters.map((letter, n) => ({ ...letter, id: firstId + n }))],
  };
};
