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

/** @param limit requests that may wait at once */
export const createOrderWaiters = ({ limit }: { limit: number }): OrderWaiters => {
  const waiters = new Map<string, Set<OrderWaiter>>();
  let size = 0;
  let closed = false;

  const wake = (waiting: ReadonlySet<OrderWaiter> | undefined): void => waiting?.forEach((waiter) => waiter.leave());

  return {
    enter(orderId, ms) {
      if (closed || size >= limit) return null;
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      const others = waiters.get(orderId) ?? new Set();
      const leave = (): void => {
        if (!others.delete(waiter)) return;
        if (others.size === 0) waiters.delete(orderId);
        size -= 1;
        clearTimeout(timer);
        resolve();
      };
      const waiter = { woken, leave };
      const timer = setTimeout(leave, ms);
      waiters.set(orderId, others.add(waiter));
      size += 1;
      return waiter;
    },
    arrived(orderIds) {
      if (size > 0) orderIds.forEach((orderId) => wake(waiters.get(orderId)));
    },
    close() {
      closed = true;
      for (const waiting of waiters.values()) wake(waiting);
    },
    get size() {
      return size;
    },
  };
};
