import { StoreError } from '#service_common/store_error.ts';
import type { OrderState } from '#cart_service/order_commands.ts';
import type {
  CartBatch,
  CartStore,
  IdempotencyRecord,
  OutboxRow,
  SeenPosition,
  UnansweredRequest,
} from '#cart_service/store/cart_store.ts';
import { createDisk, type Disk, DIRECT, type StoreLine } from './disk.ts';

interface CartState {
  readonly orders: ReadonlyMap<string, OrderState>;
  /** The highest version of each order that was read from the log. */
  readonly logged: ReadonlyMap<string, number>;
  /** The offsets of acknowledged events ahead of what was read, by order. */
  readonly ahead: ReadonlyMap<string, number>;
  /** Orders of which only a status was read from the log. */
  readonly pending: ReadonlySet<string>;
  /** By order id and fingerprint. */
  readonly unanswered: ReadonlyMap<string, UnansweredRequest>;
  readonly idempotency: ReadonlyMap<string, IdempotencyRecord>;
  readonly outbox: ReadonlyMap<number, OutboxRow>;
  readonly positions: ReadonlyMap<number, SeenPosition>;
}

export type CartDisk = Disk<CartState>;

export const createCartDisk = (): CartDisk =>
  createDisk({
    orders: new Map(),
    logged: new Map(),
    ahead: new Map(),
    pending: new Set(),
    unanswered: new Map(),
    idempotency: new Map(),
    outbox: new Map(),
    positions: new Map(),
  });

/** As in SQLite: a backlog is forgotten in several batches. */
const EXPIRED_AT_A_TIME = 500;

/** A cart store in memory, on a simulated disk that outlives it. */
export const createSimulatedCartStore = (disk: CartDisk, line: StoreLine = DIRECT): CartStore => {
  let isOpen = true;

  return {
    load: (orderIds, keys) =>
      line.call('cart store: load', () => {
        const { orders, logged, ahead, pending, unanswered, idempotency } = disk.state;
        const known = picked(orders, orderIds);
        return {
          orders: known,
          logged: new Map(
            known
              .keys()
              .map((id) => [
                id,
                { version: logged.get(id) ?? 0, isPending: pending.has(id), ahead: ahead.get(id) ?? null },
              ]),
          ),
          unanswered: fingerprintsOf([...unanswered.values()].filter(({ orderId }) => known.has(orderId))),
          idempotency: picked(idempotency, keys),
          openElsewhere: NONE,
        };
      }),
    commit: (batch) =>
      line.call('cart store: commit', () => {
        if (!isOpen) throw new StoreError('STORE_UNAVAILABLE', 'the store is closed');
        const lost = new Set<string>();
        disk.commit((state) => after(state, batch, lost));
        return { lost, takenOver: NONE };
      }),
    outbox: () =>
      line.call('cart store: outbox', () => [...disk.state.outbox.values()].toSorted((a, b) => a.seq - b.seq)),
    firstSeq: () => line.call('cart store: first number', () => Math.max(0, ...disk.state.outbox.keys()) + 1),
    positions: () => line.call('cart store: positions', () => [...disk.state.positions.values()]),
    sharing: null,
    // oxlint-disable-next-line require-await -- the seam is asynchronous
    close: async () => {
      isOpen = false;
    },
  };
};

const picked = <V>(from: ReadonlyMap<string, V>, keys: readonly string[]): Map<string, V> =>
  new Map(
    keys.flatMap((key) => {
      const value = from.get(key);
      return value === undefined ? [] : [[key, value] as const];
    }),
  );

const fingerprintsOf = (requests: readonly UnansweredRequest[]): Map<string, string[]> =>
  new Map(
    Map.groupBy(requests, ({ orderId }) => orderId)
      .entries()
      .map(([orderId, of]) => [orderId, of.map(({ fingerprint }) => fingerprint)]),
  );

const nameOf = ({ orderId, fingerprint }: { orderId: string; fingerprint: string | null }): string =>
  `${orderId} ${fingerprint}`;

/** One process has the store. */
const NONE: ReadonlySet<string> = new Set();

const isSame = (a: OrderState | undefined, b: OrderState | null): boolean =>
  a?.version === b?.version && a?.status === b?.status;

/** @param lost gets the ids of the orders whose decisions are lost @throws StoreError if an outbox number is taken */
const after = (state: CartState, batch: CartBatch, lost: Set<string>): CartState => {
  const orders = new Map(state.orders);
  const logged = new Map(state.logged);
  const ahead = new Map(state.ahead);
  const pending = new Set(state.pending);
  const unanswered = new Map(state.unanswered);
  const idempotency = new Map(state.idempotency);
  const outbox = new Map(state.outbox);
  const positions = new Map(state.positions);

  for (const { seq } of batch.settled) outbox.delete(seq);
  for (const { orderId, version, offset } of batch.ahead) {
    if (orders.get(orderId)?.version === version) ahead.set(orderId, offset);
  }
  if (batch.isNewTopic) ahead.clear();
  for (const request of batch.unanswered) unanswered.set(nameOf(request), request);
  for (const request of batch.forgotten) unanswered.delete(nameOf(request));
  for (const { row, state: taken, previous } of batch.takenBack) {
    outbox.delete(row.seq);
    const { orderId, version, status } = taken;
    const now = orders.get(orderId);
    if (now?.version === version && now.status === status && (logged.get(orderId) ?? 0) < version) {
      ahead.delete(orderId);
      if (previous === null) orders.delete(orderId);
      else orders.set(orderId, previous);
    }
    if (row.idempotencyKey !== null) idempotency.delete(row.idempotencyKey);
  }
  for (const row of batch.dropped) {
    outbox.delete(row.seq);
    unanswered.delete(nameOf(row));
    if (row.idempotencyKey !== null) idempotency.delete(row.idempotencyKey);
  }
  for (const { isPending, logged: read, ...order } of batch.learned) {
    if (isPending === true) pending.add(order.orderId);
    else pending.delete(order.orderId);
    logged.set(order.orderId, Math.max(read ?? order.version, logged.get(order.orderId) ?? 0));
    if (order.version >= (orders.get(order.orderId)?.version ?? 0)) orders.set(order.orderId, order);
  }
  for (const { state: next, previous } of batch.orders) {
    if (!isSame(orders.get(next.orderId), previous)) {
      lost.add(next.orderId);
      continue;
    }
    orders.set(next.orderId, next);
    ahead.delete(next.orderId);
  }
  for (const row of batch.outbox) {
    if (lost.has(row.orderId)) continue;
    if (outbox.has(row.seq)) throw new StoreError('STORE_UNAVAILABLE', `outbox number ${row.seq} is taken`);
    outbox.set(row.seq, row);
  }
  for (const record of batch.idempotency) if (!lost.has(record.orderId)) idempotency.set(record.key, record);
  for (const position of batch.positions) positions.set(position.partition, position);
  for (const key of expired(idempotency, batch.expireBefore)) idempotency.delete(key);
  for (const [name, { at }] of unanswered) {
    if (at !== null && batch.expireBefore !== null && at < batch.expireBefore) unanswered.delete(name);
  }
  return { orders, logged, ahead, pending, unanswered, idempotency, outbox, positions };
};

const expired = (records: ReadonlyMap<string, IdempotencyRecord>, before: number | null): string[] =>
  before === null
    ? []
    : [...records.values()]
        .filter(({ createdAt }) => createdAt < before)
        .toSorted((a, b) => a.createdAt - b.createdAt)
        .slice(0, EXPIRED_AT_A_TIME)
        .map(({ key }) => key);
