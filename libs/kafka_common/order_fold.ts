import type { OrderCreated, OrderEvent, OrderStatusUpdated } from './events.ts';
import type { OrderStatus } from './models.ts';

/**
 * What an event of the log does to its order. An order is created once. Its other events may arrive in any order and any
 * number of times; the order is the fold, by version, of those that have a version. Both services use this function, so
 * that the Cart Service decides on what the view shows.
 */
export interface FoldedOrder {
  /** The highest version applied; 0 if no event of this order had one. */
  readonly version: number;
  readonly status: OrderStatus;
  /** A status arrived, and the order has not arrived yet. */
  readonly isPending: boolean;
}

export type Fold =
  /**
   * Nothing changes. `duplicate`: the event was applied before, or is older than what was applied. `conflict`: it creates
   * an order that exists, and is not the event that created it.
   */
  | { readonly outcome: 'duplicate' | 'conflict'; readonly order: null }
  /** `waiting`: a status whose order has not arrived yet. */
  | { readonly outcome: 'applied' | 'waiting'; readonly order: FoldedOrder };

/**
 * @param order undefined if nothing is known of it
 * @param seen was an event with this id and without a version applied before?
 */
export const foldEvent = (order: FoldedOrder | undefined, event: OrderEvent, seen: boolean): Fold => {
  if (event.type === 'ORDER_CREATED' && order?.isPending === false) {
    return { outcome: repeatedCreation(order, event, seen), order: null };
  }
  if (isDuplicate(order, event, seen)) return { outcome: 'duplicate', order: null };
  const next = event.type === 'ORDER_CREATED' ? withCreation(order, event) : withStatus(order, event);
  return { outcome: next.isPending ? 'waiting' : 'applied', order: next };
};

/** An event up to the version of the order can be the one that created it, delivered again. A later one cannot. */
const repeatedCreation = (order: FoldedOrder, { version }: OrderCreated, seen: boolean): 'duplicate' | 'conflict' =>
  seen || (version !== null && version <= order.version) ? 'duplicate' : 'conflict';

const isDuplicate = (order: FoldedOrder | undefined, { type, version }: OrderEvent, seen: boolean): boolean => {
  if (type === 'ORDER_CREATED') return false;
  return version === null ? seen : version <= (order?.version ?? 0);
};

const withCreation = (pending: FoldedOrder | undefined, { version, order }: OrderCreated): FoldedOrder => {
  const created = version ?? 0;
  const known = pending?.version ?? 0;
  // Nothing happens to an order before it is created, so a pending status without a version is newer than the order.
  const pendingStatusIsNewer = pending !== undefined && (known === 0 || known > created);
  return {
    version: Math.max(known, created),
    status: pendingStatusIsNewer ? pending.status : order.status,
    isPending: false,
  };
};

const withStatus = (order: FoldedOrder | undefined, event: OrderStatusUpdated): FoldedOrder => ({
  version: event.version ?? order?.version ?? 0,
  status: event.status,
  isPending: order?.isPending ?? true,
});
