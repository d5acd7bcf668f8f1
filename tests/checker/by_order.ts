import type { Evidence, Exchange, LogEntry } from './evidence.ts';

/** All that concerns one order. */
export interface OrderFile {
  readonly orderId: string;
  readonly exchanges: readonly Exchange[];
  readonly entries: readonly LogEntry[];
  readonly cart: NonNullable<Evidence['cart']>['orders'][number] | undefined;
  readonly view: NonNullable<Evidence['view']>['orders'][number] | undefined;
  readonly waiting: NonNullable<Evidence['view']>['waiting'][number] | undefined;
}

/** Sorts the evidence by order; what clients asked stands in the order in which they asked. */
export const filesByOrder = (evidence: Evidence): ReadonlyMap<string, OrderFile> => {
  const exchanges = Map.groupBy(evidence.exchanges, ({ request }) => request.orderId);
  const entries = Map.groupBy(
    evidence.log.filter(({ event }) => event !== null),
    ({ event }) => event?.orderId ?? '',
  );
  const cart = new Map(evidence.cart?.orders.map((order) => [order.orderId, order]));
  const view = new Map(evidence.view?.orders.map((order) => [order.orderId, order]));
  const waiting = new Map(evidence.view?.waiting.map((order) => [order.orderId, order]));
  const ids = new Set([...exchanges.keys(), ...entries.keys(), ...cart.keys(), ...view.keys(), ...waiting.keys()]);
  return new Map(
    Array.from(ids, (orderId) => [
      orderId,
      {
        orderId,
        exchanges: (exchanges.get(orderId) ?? []).toSorted((a, b) => a.askedAt - b.askedAt),
        entries: entries.get(orderId) ?? [],
        cart: cart.get(orderId),
        view: view.get(orderId),
        waiting: waiting.get(orderId),
      },
    ]),
  );
};
