import type { OrderCreated, OrderEvent, OrderStatusUpdated } from '#kafka_common/events.ts';
import type { Order } from '#kafka_common/models.ts';
import type { AppliedBatch, LoadedViews, OrderView } from './consumer_db.ts';

/**
 * What an event does to the view of its order. An order is created once; its other events may come in any order and
 * any number of times, and the view is the fold of those that carry a version by that version.
 */
export type Effect =
  /** Has been applied before, or is older than what has been: changes nothing. */
  | { readonly outcome: 'duplicate' }
  /** `waiting`: a status whose order has not come yet. */
  | { readonly outcome: 'applied' | 'waiting'; readonly view: OrderView };

/**
 * @param view undefined where nothing is known of the order
 * @param seen was an event of this id and without a version applied before?
 * @param now milliseconds since 1970
 */
export const applyEvent = (view: OrderView | undefined, event: OrderEvent, seen: boolean, now: number): Effect => {
  if (isDuplicate(view, event, seen)) return { outcome: 'duplicate' };
  const next = event.type === 'ORDER_CREATED' ? withOrder(view, event) : withStatus(view, event, now);
  return { outcome: next.waitingSince === null ? 'applied' : 'waiting', view: next };
};

const isDuplicate = (view: OrderView | undefined, event: OrderEvent, seen: boolean): boolean => {
  const orderIsThere = view?.waitingSince === null;
  if (event.type === 'ORDER_CREATED' && !orderIsThere) return false;
  if (event.version !== null) return event.version <= (view?.version ?? 0);
  return seen || event.type === 'ORDER_CREATED';
};

const withOrder = (view: OrderView | undefined, { orderId, version, order }: OrderCreated): OrderView => {
  const created = version ?? 0;
  const known = view?.version ?? 0;
  // Nothing happens to an order before it is made, so a status without a version is newer than the order it waits for.
  const waitingStatusIsNewer = view !== undefined && view.waitingSince !== null && (known === 0 || known > created);
  return {
    orderId,
    version: Math.max(known, created),
    status: waitingStatusIsNewer ? view.status : order.status,
    waitingSince: null,
  };
};

const withStatus = (view: OrderView | undefined, event: OrderStatusUpdated, now: number): OrderView => ({
  orderId: event.orderId,
  version: event.version ?? view?.version ?? 0,
  status: event.status,
  waitingSince: view ? view.waitingSince : now,
});

export interface BatchEffect extends Pick<AppliedBatch, 'views' | 'orders' | 'unversionedEventIds'> {
  /** What became of each event. */
  readonly outcomes: readonly Effect['outcome'][];
}

/** Applies events one after the other to what the store had of their orders. */
export const applyEvents = (
  loaded: Pick<LoadedViews, 'views' | 'seenEventIds'>,
  events: readonly OrderEvent[],
  now: number,
): BatchEffect => {
  const views = new Map<string, OrderView>();
  const orders = new Map<string, Order>();
  const newIds = new Set<string>();
  const outcomes: Effect['outcome'][] = [];
  for (const event of events) {
    const view = views.get(event.orderId) ?? loaded.views.get(event.orderId);
    const seen = loaded.seenEventIds.has(event.eventId) || newIds.has(event.eventId);
    const effect = applyEvent(view, event, seen, now);
    outcomes.push(effect.outcome);
    if (effect.outcome === 'duplicate') continue;
    views.set(event.orderId, effect.view);
    if (event.type === 'ORDER_CREATED') orders.set(event.orderId, event.order);
    if (event.version === null) newIds.add(event.eventId);
  }
  return { views: [...views.values()], orders: [...orders.values()], unversionedEventIds: [...newIds], outcomes };
};
