import { type OrderEvent, repetitionKeyOf } from '#kafka_common/events.ts';
import type { Order } from '#kafka_common/models.ts';
import { foldEvent } from '#kafka_common/order_fold.ts';
import type { AppliedBatch, EventOutcome, LoadedViews, OrderView } from './consumer_db.ts';

/** What an event changes in the view of its order. */
export type ViewChange =
  | { readonly outcome: Extract<EventOutcome, 'duplicate' | 'conflict'>; readonly view: null }
  | { readonly outcome: Extract<EventOutcome, 'applied' | 'waiting'>; readonly view: OrderView };

/**
 * @param view undefined if nothing is known of the order
 * @param seen was an event with this id and without a version applied before?
 * @param now milliseconds since 1970
 */
export const applyEvent = (view: OrderView | undefined, event: OrderEvent, seen: boolean, now: number): ViewChange => {
  const known = view && { version: view.version, status: view.status, isPending: view.pendingSince !== null };
  const fold = foldEvent(known, event, seen);
  if (fold.order === null) return { outcome: fold.outcome, view: null };
  const { version, status, isPending } = fold.order;
  const pendingSince = isPending ? (view?.pendingSince ?? now) : null;
  return { outcome: fold.outcome, view: { orderId: event.orderId, version, status, pendingSince } };
};

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
    const key = event.version === null ? repetitionKeyOf(event) : null;
    const seen = key !== null && (loaded.seenEventIds.has(key) || newIds.has(key));
    const change = applyEvent(view, event, seen, now);
    outcomes.push(change.outcome);
    if (change.view === null) continue;
    views.set(event.orderId, change.view);
    if (event.type === 'ORDER_CREATED') orders.set(event.orderId, event.order);
    if (key !== null) newIds.add(key);
  }
  return { views: [...views.values()], orders: [...orders.values()], unversionedEventIds: [...newIds], outcomes };
};
