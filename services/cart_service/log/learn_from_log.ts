import type { Batch } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { OrderState } from '#cart_service/order_commands.ts';
import type { CartStore } from '#cart_service/store/cart_store.ts';

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
): Promise<OrderState[]> => {
  const { orders: known } = await store.load([...new Set(events.map(({ orderId }) => orderId))], []);
  const learned = new Map<string, OrderState>();
  for (const event of events) {
    const before = learned.get(event.orderId) ?? known.get(event.orderId);
    const state = follow(before, event);
    if (state !== null) learned.set(event.orderId, state);
    else if (before !== undefined && isUnsettled(event.orderId) && (event.version ?? before.version) >= before.version)
      learned.set(event.orderId, before);
  }
  return [...learned.values()];
};

/** The state after an event of the log; null if the event changes nothing. */
const follow = (state: OrderState | undefined, event: OrderEvent): OrderState | null => {
  const { orderId, version } = event;
  if (state === undefined) {
    // Other producers may write a status before its order. Its id and its version are in use all the same.
    return {
      orderId,
      version: version ?? 0,
      status: event.type === 'ORDER_CREATED' ? event.order.status : event.status,
    };
  }
  const next = version ?? state.version;
  if (event.type === 'ORDER_CREATED') return next > state.version ? { ...state, version: next } : null;
  if (next < state.version || (next === state.version && event.status === state.status)) return null;
  return { orderId, version: next, status: event.status };
};
