import type { ViewQueries } from '#order_service/consumer_db.ts';
import type { ViewWatch } from './view_watch.ts';

/** Requests that wait for an order which is not there yet. */
export interface OrderWaiters {
  /** Starts to wait. Returns null if too many wait already, or the service is stopping. */
  readonly enter: (orderId: string, ms: number) => OrderWaiter | null;
  /** Wakes the requests that wait for one of these orders. */
  readonly arrived: (orderIds: readonly string[]) => void;
  /** The service is stopping: wakes all, and takes no more. */
  readonly close: () => void;
  readonly size: number;
}

export interface OrderWaiter {
  /** Resolves when the order has arrived, the time is over, or `leave` was called. */
  readonly woken: Promise<void>;
  readonly leave: () => void;
}

export interface OrderWaitersOptions {
  /** Requests that may wait at once. */
  readonly limit: number;
  readonly db: Pick<ViewQueries, 'knownAmong'>;
  readonly watch: ViewWatch;
}

export const createOrderWaiters = ({ limit, db, watch }: OrderWaitersOptions): OrderWaiters => {
  const waiters = new Map<string, Set<OrderWaiter>>();
  let size = 0;
  let closed = false;
  let unfollow: (() => void) | null = null;

  const wake = (waiting: ReadonlySet<OrderWaiter> | undefined): void => waiting?.forEach((waiter) => waiter.leave());

  const arrived = (orderIds: readonly string[]): void => {
    if (size > 0) orderIds.forEach((orderId) => wake(waiters.get(orderId)));
  };

  /** One query for all requests that wait. */
  const lookForOrders = async (): Promise<void> => {
    if (size > 0) arrived(await db.knownAmong([...waiters.keys()]));
  };

  return {
    enter(orderId, ms) {
      if (closed || size >= limit) return null;
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      const others = waiters.get(orderId) ?? new Set();
      const leave = (): void => {
        if (!others.delete(waiter)) return;
        if (others.size === 0) waiters.delete(orderId);
        size -= 1;
        if (size === 0) unfollow?.();
        clearTimeout(timer);
        resolve();
      };
      const waiter = { woken, leave };
      const timer = setTimeout(leave, ms);
      waiters.set(orderId, others.add(waiter));
      if (size === 0) unfollow = watch.follow(lookForOrders);
      size += 1;
      return waiter;
    },
    arrived,
    close() {
      closed = true;
      for (const waiting of waiters.values()) wake(waiting);
    },
    get size() {
      return size;
    },
  };
};
