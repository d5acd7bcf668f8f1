import type { Batch } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { foldEvent, type FoldedOrder } from '#kafka_common/order_fold.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { CartStore, LearnedOrder, LoadedOrders } from '#cart_service/store/cart_store.ts';

/** The events in a batch of the log. Records that are not events are left out. */
export const eventsIn = (batch: Batch): OrderEvent[] =>
  batch.records.map(decodeEvent).flatMap((decoded) => (decoded.kind === 'event' ? [decoded.event] : []));

/**
 * Applies events to the orders as the store has them.
 * @param isUnsettled whether an event of the order may be taken back: the store must know that its version is in the log
 * @returns the orders that this changes, in their new state, and those in that state that may be taken back
 */
export const learnFrom = async (
  store: Pick<CartStore, 'load'>,
  events: readonly OrderEvent[],
  isUnsettled: (orderId: string) => boolean,
): Promise<LearnedOrder[]> => {
  const loaded = await store.load([...new Set(events.map(({ orderId }) => orderId))], []);
  const learned = new Map<string, Known>();
  for (const event of events) {
    const { orderId } = event;
    const before = learned.get(orderId) ?? knownIn(loaded, orderId);
    const after = follow(before, event);
    if (after !== null) learned.set(orderId, after);
    else if (before !== undefined && isUnsettled(orderId) && (event.version ?? before.version) >= before.version)
      learned.set(orderId, { ...before, logged: before.version });
  }
  return [...learned].map(([orderId, known]) => ({ ...known, orderId }));
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

/** The order after an event of the log; null if the event changes nothing. */
const follow = (before: Known | undefined, event: OrderEvent): Known | null => {
  const { order } = foldEvent(
    before && isPromised(before, event) ? { ...before, version: before.logged } : before,
    event,
    false,
  );
  if (order === null) return null;
  const version = Math.max(order.version, before?.version ?? 0);
  if (version === before?.version && order.status === before.status && order.isPending === before.isPending)
    return null;
  const logged = event.version === null ? (before?.logged ?? 0) : order.version;
  return { ...order, version, logged };
};

/** The log gives the version that the store has promised: usually this is the event of this service. */
const isPromised = ({ version, logged }: Known, event: OrderEvent): boolean =>
  event.version === version && version > logged;
