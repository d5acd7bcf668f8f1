import type { Batch } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { foldEvent, type FoldedOrder } from '#kafka_common/order_fold.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { CartStore, LearnedOrder, LoadedOrders } from '#cart_service/store/cart_store.ts';

export interface LoggedEvent {
  readonly offset: number;
  readonly event: OrderEvent;
}

/** The events in a batch of the log. Records that are not events are left out. */
export const eventsIn = (batch: Batch): LoggedEvent[] =>
  batch.records.flatMap((record) => {
    const decoded = decodeEvent(record);
    return decoded.kind === 'event' ? [{ offset: record.offset, event: decoded.event }] : [];
  });

/**
 * Returns the orders with an event of this service that is stored, and not stored as acknowledged. Each has the offset of
 * that event; it is infinite until the event is acknowledged.
 */
export type OpenEvents = () => ReadonlyMap<string, number>;

/** What events of the log say about the orders of the store. */
export interface Learned {
  /** To be stored: orders that the events change, and those of whose version it is known from now on that the log has it. */
  readonly orders: readonly LearnedOrder[];
  /** The ids of those that they change. */
  readonly changed: readonly string[];
}

/** Applies events of one partition to the orders as the store has them. */
export const learnFrom = async (
  store: Pick<CartStore, 'load'>,
  events: readonly LoggedEvent[],
  openEvents: OpenEvents,
): Promise<Learned> => {
  const openBefore = openEvents();
  const loaded = await store.load([...new Set(events.map(({ event }) => event.orderId))], []);
  // An event may be acknowledged, stored as such, or decided while the store is asked.
  const open = [openBefore, openEvents()];
  const learned = new Map<string, Known>();
  for (const { offset, event } of events) {
    const before = learned.get(event.orderId) ?? knownIn(loaded, open, event.orderId);
    const after = follow(before, event, offset);
    if (after !== null) learned.set(event.orderId, after);
  }
  const isChanged = ([orderId, known]: [string, Known]): boolean => !isSameOrder(known, knownIn(loaded, open, orderId));
  return {
    orders: [...learned].map(([orderId, { version, status, isPending, logged }]) => ({
      orderId,
      version,
      status,
      isPending,
      logged,
    })),
    changed: [...learned].filter(isChanged).map(([orderId]) => orderId),
  };
};

interface Known extends FoldedOrder {
  /** The highest version read from the log. `version` is higher while an event of this service was not read. */
  readonly logged: number;
  /** No event up to this offset comes behind the one of this service. Infinite while that is open. */
  readonly ahead: number;
}

/** Below all offsets. */
const NOWHERE = -1;

const knownIn = (
  { orders, logged, openElsewhere }: LoadedOrders,
  open: readonly ReturnType<OpenEvents>[],
  orderId: string,
): Known | undefined => {
  const state = orders.get(orderId);
  const fromLog = logged.get(orderId);
  const elsewhere = openElsewhere.has(orderId) ? Infinity : NOWHERE;
  const ahead = Math.max(
    elsewhere,
    fromLog?.ahead ?? NOWHERE,
    ...open.map((offsets) => offsets.get(orderId) ?? NOWHERE),
  );
  return state && { ...state, logged: fromLog?.version ?? 0, isPending: fromLog?.isPending ?? false, ahead };
};

const isSameOrder = (a: FoldedOrder, b: FoldedOrder | undefined): boolean =>
  a.version === b?.version && a.status === b.status && a.isPending === b.isPending;

/** What is known after an event of the log; null if that is nothing new. */
const follow = (before: Known | undefined, event: OrderEvent, offset: number): Known | null => {
  const isPromised = before !== undefined && givesPromised(before, event, offset);
  const { order } = foldEvent(isPromised ? inLog(before, event) : before, event, false);
  if (order === null) return null;
  const version = Math.max(order.version, before?.version ?? 0);
  const logged = event.version === null ? (before?.logged ?? 0) : order.version;
  const after = { ...order, version, logged, ahead: before?.ahead ?? NOWHERE };
  return isSameOrder(after, before) && logged === before?.logged ? null : after;
};

/**
 * The log gives the version that the store has promised: usually this is the event of this service. If that was
 * acknowledged, and nothing before it was unknown, it was not read. Then another event gives its version too late.
 */
const givesPromised = ({ version, logged, ahead }: Known, event: OrderEvent, offset: number): boolean =>
  event.version === version && version > logged && offset <= ahead;

/** The order without what the store has promised; undefined if that is its creation. */
const inLog = (known: Known, { type }: OrderEvent): FoldedOrder | undefined =>
  type === 'ORDER_CREATED' && known.logged === 0 && !known.isPending ? undefined : { ...known, version: known.logged };
