import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { StoredEvent, ViewQueries } from '#order_service/consumer_db.ts';
import { prepareListing } from './listing.ts';
import { prepareQueryStatements } from './query_statements.ts';

import { reading } from './reading.ts';
import { toViewedOrder } from '#order_service/store/stored_orders.ts';
import { type Row, toDeadLetter, toStoredEvent, toView } from './rows.ts';
import { createStreamQueries } from './stream_queries.ts';

/** Ids in one page of `orderIds`. It bounds the memory of a listing, and how long other requests wait (about 1 ms). */
const PAGE_SIZE = 1_000;

export const createViewQueries = (db: DatabaseSync): ViewQueries => {
  const sql = prepareQueryStatements(db);
  const listOrders = prepareListing(db);

  /** Follows the chain of an order's events back from the last one, or from the one before `before`. */
  const historyOf = (orderId: string, before: number | null, limit: number): StoredEvent[] | null => {
    const known = sql.lastEvent.get(orderId);
    if (known === undefined) return null;
    const events: StoredEvent[] = [];
    let next = known['last_event'] as number | null;
    if (before !== null) {
      // An event of another order, or none, has nothing before it in this history.
      const row = sql.event.get(before);
      next = row?.['order_id'] === orderId ? (row['previous'] as number | null) : null;
    }
    while (next !== null && events.length < limit) {
      const row = sql.event.get(next) as Row;
      events.push(toStoredEvent(row));
      next = row['previous'] as number | null;
    }
    return events;
  };

  const viewId = String(sql.viewId.get()?.['view_id']);
  return {
    viewId,
    ...createStreamQueries(sql, viewId),
    commits: async () => reading(sql.commits),
    knownAmong: async (orderIds) => reading(() => sql.known(orderIds).map((row) => row['order_id'] as string)),
    order: async (orderId) =>
      reading(() => {
        const row = sql.order.get(orderId);
        return row ? toViewedOrder(row) : null;
      }),
    orders: async (filter, after, limit) => reading(() => listOrders(filter, after, limit)),
    history: async (orderId, before, limit) => reading(() => historyOf(orderId, before, limit)),
    orderIds: async function* () {
      const last = reading(() => sql.lastArrival.get()?.['last'] as number);
      for (let after = 0; after < last; after += PAGE_SIZE) {
        const page = reading(() => sql.idsBetween.all(after, Math.min(after + PAGE_SIZE, last)));
        yield page.map((row) => row['order_id'] as string);
        await othersTurn();
      }
    },
    pending: async (limit) => reading(() => sql.oldestPending.all(limit).map(toView)),
    deadLetters: async (after, limit, state = 'all') =>
      reading(() => sql.deadLetters[state].all(after, limit).map(toDeadLetter)),
    lastDeadLetter: async () => reading(() => sql.lastDeadLetter.get()?.['last'] as number),
    counts: async () =>
      reading(() => {
        const { orders, pending, deadLetters, redriven } = sql.counts.get() as Record<string, number>;
        const total = deadLetters ?? 0;
        return {
          orders: orders ?? 0,
          pending: pending ?? 0,
          deadLetters: total,
          heldDeadLetters: total - (redriven ?? 0),
        };
      }),
  };
};
