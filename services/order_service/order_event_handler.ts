import type { OrderCreated, OrderEvent, OrderStatusUpdated } from '#kafka_common/events.ts';
import type { Order } from '#kafka_common/models.ts';
import type { AppliedBatch, EventOutcome, LoadedViews, OrderView } from './consumer_db.ts';

/**
 * What an event changes in the view of its order. An order is created once. Its other events may arrive in any order and
 * any number of times; the view is the fold, by version, of those that have a version.
 */
export type ViewChange =
  | { readonly outcome: Extract<EventOutcome, 'duplicate'> }
  | { readonly outcome: Exclude<EventOutcome, 'duplicate'>; readonly view: OrderView };

/**
 * @param view undefined if nothing is known of the order
 * @param seen was an event with this id and without a version applied before?
 * @param now milliseconds since 1970
 */
export const applyEvent = (view: OrderView | undefined, event: OrderEvent, seen: boolean, now: number): ViewChange => {
  if (isDuplicate(view, event, seen)) return { outcome: 'duplicate' };
  const next = event.type === 'ORDER_CREATED' ? withOrder(view, event) : withStatus(view, event, now);
  return { outcome: next.pendingSince === null ? 'applied' : 'waiting', view: next };
};

const isDuplicate = (view: OrderView | undefined, event: OrderEvent, seen: boolean): boolean => {
  const orderIsThere = view?.pendingSince === null;
  if (event.type === 'ORDER_CREATED' && !orderIsThere) return false;
  if (event.version !== null) return event.version <= (view?.version ?? 0);
  return seen || event.type === 'ORDER_CREATED';
};

const withOrder = (view: OrderView | undefined, { orderId, version, order }: OrderCreated): OrderView => {
  const created = version ?? 0;
  const known = view?.version ?? 0;
  // Nothing happens to an order before it is created, so a pending status without a version is newer than the order.
  const pendingStatusIsNewer = view !== undefined && view.pendingSince !== null && (known === 0 || known > created);
  return {
    orderId,
    version: Math.max(known, created),
    status: pendingStatusIsNewer ? view.status : order.status,
    pendingSince: null,
  };
};

const withStatus = (view: OrderView | undefined, event: OrderStatusUpdated, now: number): OrderView => ({
  orderId: event.orderId,
  version: event.version ?? view?.version ?? 0,
  status: event.status,
  pendingSince: view ? view.pendingSince : now,
});

/** What a batch of events changes in the views of its orders. */
export interface ViewChanges extends Pick<AppliedBatch, 'views' | 'orders' | 'unversionedEventIds'> {
  /** What became of each event, by its index. */
  readonly outcomes: readonly EventOutcome[];
}

/** Applies events one after the other to the loaded views of their orders. */
export const applyEvents = (
  loaded: Pick<LoadedViews, 'views' | 'seenEventIds'>,
  events: readonly OrderEvent[],
  now: number,
): ViewChanges => {
  const views = new Map<string, OrderView>();
  const orders = new Map<string, Order>();
  const newIds = new Set<string>();
  const outcomes: EventOutcome[] = [];
  for (const event of events) {
    const view = views.get(event.orderId) ?? loaded.views.get(event.orderId);
    const seen = loaded.seenEventIds.has(event.eventId) || newIds.has(event.eventId);
    const change = applyEvent(view, event, seen, now);
    outcomes.push(change.outcome);
    if (change.outcome === 'duplicate') continue;
    views.set(event.orderId, change.view);
    if (event.type === 'ORDER_CREATED') orders.set(event.orderId, event.order);
    if (event.version === null) newIds.add(event.eventId);
  }
  return { views: [...views.values()], orders: [...orders.values()], unversionedEventIds: [...newIds], outcomes };
};
