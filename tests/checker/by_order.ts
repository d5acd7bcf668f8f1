import type { Evidence, Exchange, LogEntry } from './evidence.ts';

/** All evidence of one order. */
export interface OrderFile {
  readonly orderId: string;
  readonly exchanges: readonly Exchange[];
  readonly entries: readonly LogEntry[];
  /** Its records of aborted transactions. */
  readonly aborted: readonly LogEntry[];
  readonly cart: NonNullable<Evidence['cart']>['orders'][number] | undefined;
  readonly view: NonNullable<Evidence['view']>['orders'][number] | undefined;
  readonly pending: NonNullable<Evidence['view']>['pending'][number] | undefined;
}

/** Groups the evidence by order, the exchanges of each in the sequence in which they were asked. */
export const filesByOrder = (evidence: Evidence): ReadonlyMap<string, OrderFile> => {
  const exchanges = Map.groupBy(evidence.exchanges, ({ request }) => request.orderId);
  const entries = eventsByOrder(evidence.log);
  const aborted = eventsByOrder(evidence.aborted ?? []);
  const cart = new Map(evidence.cart?.orders.map((order) => [order.orderId, order]));
  const view = new Map(evidence.view?.orders.map((order) => [order.orderId, order]));
  const pending = new Map(evidence.view?.pending.map((order) => [order.orderId, order]));
  const ids = new Set([
    ...exchanges.keys(),
    ...entries.keys(),
    ...aborted.keys(),
    ...cart.keys(),
    ...view.keys(),
    ...pending.keys(),
  ]);
  return new Map(
    Array.from(ids, (orderId) => [
      orderId,
      {
        orderId,
        exchanges: (exchanges.get(orderId) ?? []).toSorted((a, b) => a.askedAt - b.askedAt),
        entries: entries.get(orderId) ?? [],
        aborted: aborted.get(orderId) ?? [],
        cart: cart.get(orderId),
        view: view.get(orderId),
        pending: pending.get(orderId),
      },
    ]),
  );
};

const eventsByOrder = (entries: readonly LogEntry[]): Map<string, LogEntry[]> =>
  Map.groupBy(
    entries.filter(({ event }) => event !== null),
    ({ event }) => event?.orderId ?? '',
  );
