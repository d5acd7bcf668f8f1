import type { Batch } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { foldEvent, type FoldedOrder } from '#kafka_common/order_fold.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { CartStore, LearnedOrder, LoadedOrders } from '#cart_service/store/cart_store.ts';

/** The events in a batch of the log. Records that are not events are left out. */
export const eventsIn = (batch: Batch): OrderEvent[] =>
  batch.records.map(decodeEvent).flatMap((decoded) => (decoded.kind === 'event' ? [decoded.event] : []));

/** What events of the log say about the orders of the store. */
export interface Learned {
  /** To be stored: orders that the events change, and those of whose version it is known from now on that the log has it. */
  readonly orders: readonly LearnedOrder[];
  /** The ids of those that they change. */
  readonly changed: readonly string[];
}

/** Applies events to the orders as the store has them. */
export const learnFrom = async (store: Pick<CartStore, 'load'>, events: readonly OrderEvent[]): Promise<Learned> => {
  const loaded = await store.load([...new Set(events.map(({ orderId }) => orderId))], []);
  const learned = new Map<string, Known>();
  for (const event of events) {
    const before = learned.get(event.orderId) ?? knownIn(loaded, event.orderId);
    const after = follow(before, event);
    if (after !== null) learned.set(event.orderId, after);
  }
  const isChanged = ([orderId, known]: [string, Known]): boolean => !isSameOrder(known, knownIn(loaded, orderId));
  return {
    orders: [...learned].map(([orderId, known]) => ({ ...known, orderId })),
    changed: [...learned].filter(isChanged).map(([orderId]) => orderId),
  };
};

interface Known extends FoldedOrder {
  /** The highest version read from the log. `version` is higher while an event of this service was not read. */
  readonly logged: number;
}

const knownIn = ({ orders, logged }: LoadedOrders, orderId: string): Known | undefined => {
  const state = orders.get(orderId);
  const fromLog = logged.get(orderId);
  return state && { ...state, logged: fromLog?.version ?? 0, isPending: fromLog?.isPending ?? false };
};

const isSameOrder = (a: FoldedOrder, b: FoldedOrder | undefined): boolean =>
  a.version === b?.version && a.status === b.status && a.isPending === b.isPending;

/** What is known after an event of the log; null if that is nothing new. */
const follow = (before: Known | undefined, event: OrderEvent): Known | null => {
  const { order } = foldEvent(before && isPromised(before, event) ? inLog(before, event) : before, event, false);
  if (order === null) return null;
  const version = Math.max(order.version, before?.version ?? 0);
  const logged = event.version === null ? (before?.logged ?? 0) : order.version;
  const after = { ...order, version, logged };
  return isSameOrder(after, before) && logged === before?.logged ? null : after;
};

/** The log gives the version that the store has promised: usually this is the event of this service. */
const isPromised = ({ version, logged }: Known, event: OrderEvent): boolean =>
  event.version === version && version > logged;

/** The order without what the store has promised; undefined if that is its creation. */
const inLog = (known: Known, { type }: OrderEvent): FoldedOrder | undefined =>
  type === 'ORDER_CREATED' && known.logged === 0 && !known.isPending ? undefined : { ...known, version: known.logged };
