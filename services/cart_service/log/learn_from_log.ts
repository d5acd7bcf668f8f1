import type { Batch } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { CartStore, OrderState } from '#cart_service/store/cart_store.ts';

/** What stands in a batch of the log, without what is no event. */
export const eventsIn = (batch: Batch): OrderEvent[] =>
  batch.records.map(decodeEvent).flatMap((decoded) => (decoded.kind === 'event' ? [decoded.event] : []));

/** The orders of which the events say something that the store does not have, as they are after them. */
export const learnFrom = async (
  store: Pick<CartStore, 'load'>,
  events: readonly OrderEvent[],
): Promise<OrderState[]> => {
  const { orders: known } = await store.load([...new Set(events.map(({ orderId }) => orderId))], []);
  const learned = new Map<string, OrderState>();
  for (const event of events) {
    const state = follow(learned.get(event.orderId) ?? known.get(event.orderId), event);
    if (state !== null) learned.set(event.orderId, state);
  }
  return [...learned.values()];
};

/** The state after an event of the log, or null where the event says nothing new of a known order. */
const follow = (state: OrderState | undefined, event: OrderEvent): OrderState | null => {
  const { orderId, version } = event;
  if (state === undefined) {
    // Where others write to the log too, a status can come before its order: the id and the version are taken all the same.
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
