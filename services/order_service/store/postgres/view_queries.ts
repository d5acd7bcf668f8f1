import type { Database } from '#service_common/postgres/database.ts';
import { toPostgresText } from '#service_common/stored_text.ts';
import type { DeadLetterState, ViewQueries } from '#order_service/consumer_db.ts';
import { listOrders } from './listing.ts';
import { toViewedOrder } from '#order_service/store/stored_orders.ts';
import { toDeadLetter, toStoredEvent, toText, toView } from './rows.ts';
import { createStreamQueries } from './stream_queries.ts';

/** Ids in one page of `orderIds`. It bounds the memory of a listing. */
const PAGE_SIZE = 1_000;

export const createViewQueries = (database: Database, viewId: string): ViewQueries => {
  const { query } = database;
  const lastOf = async (text: string): Promise<number> => Number((await query(text))[0]?.['last']);

  return {
    viewId,
    ...createStreamQueries(database, viewId),
    commits: () => lastOf(COMMITS),
    knownAmong: async (orderIds) =>
      (await query(KNOWN, [orderIds.map(toPostgresText)])).map((row) => toText(row['order_id'])),
    order: async (orderId) => {
      const [row] = await query(ORDER, [toPostgresText(orderId)]);
      return row === undefined ? null : toViewedOrder(row);
    },
    orders: (filter, after, limit) => listOrders(database, filter, after, limit),
    history: async (orderId, before, limit) => {
      const id = toPostgresText(orderId);
      const rows = await (before === null ? query(HISTORY, [id, limit]) : query(HISTORY_BEFORE, [id, limit, before]));
      if (rows.length === 0 && (await query(ANY_OF_ORDER, [id])).length === 0) return null;
      return rows.map(toStoredEvent);
    },
    orderIds: async function* () {
      const last = await lastOf(LAST_ARRIVAL);
      for (let after = 0; after < last;) {
        const page = await query(IDS_BETWEEN, [after, last, PAGE_SIZE]);
        if (page.length === 0) return;
        yield page.map((row) => toText(row['order_id']));
        after = page.at(-1)?.['arrival'] as number;
      }
    },
    pending: async (limit) => (await query(OLDEST_PENDING, [limit])).map(toView),
    deadLetters: async (after, limit, state = 'all') =>
      (await query(DEAD_LETTERS[state], [after, limit])).map(toDeadLetter),
    lastDeadLetter: () => lastOf(LAST_DEAD_LETTER),
    counts: async () => {
      const [row] = await query(COUNTS);
      return {
        orders: Number(row?.['orders']),
        pending: Number(row?.['pending']),
        deadLetters: Number(row?.['dead_letters']),
        heldDeadLetters: Number(row?.['held']),
      };
    },
  };
};

const ORDERS = 'order_service.orders';
const COMMITS = 'SELECT coalesce(sum(commits), 0)::bigint AS last FROM order_service.positions';
const KNOWN = `SELECT order_id FROM ${ORDERS} WHERE order_id = ANY ($1::text[]) AND arrival IS NOT NULL`;
const ORDER = `SELECT version, status, body FROM ${ORDERS} WHERE order_id = $1 AND arrival IS NOT NULL`;
const ANY_OF_ORDER = `SELECT FROM ${ORDERS} WHERE order_id = $1`;
const HISTORY = 'SELECT * FROM order_service.events WHERE order_id = $1 ORDER BY sequence DESC LIMIT $2';
/** An event of another order, or none, has nothing before it in this history. */
const HISTORY_BEFORE = `
  SELECT * FROM order_service.events
  WHERE order_id = $1 AND sequence < (SELECT sequence FROM order_service.events WHERE order_id = $1 AND sequence = $3)
  ORDER BY sequence DESC LIMIT $2`;
const LAST_ARRIVAL = `SELECT coalesce(max(arrival), 0) AS last FROM ${ORDERS} WHERE arrival IS NOT NULL`;
const IDS_BETWEEN = `SELECT order_id, arrival FROM ${ORDERS} WHERE arrival > $1 AND arrival <= $2 ORDER BY arrival LIMIT $3`;
const OLDEST_PENDING = `
  SELECT order_id, version, status, pending_since FROM ${ORDERS}
  WHERE pending_since IS NOT NULL ORDER BY pending_since, order_id LIMIT $1`;

const deadLetters = (condition: string): string =>
  `SELECT * FROM order_service.dead_letters WHERE id > $1 ${condition} ORDER BY id LIMIT $2`;

const DEAD_LETTERS: Readonly<Record<DeadLetterState, string>> = {
  all: deadLetters(''),
  held: deadLetters('AND redriven_at IS NULL'),
  redriven: deadLetters('AND redriven_at IS NOT NULL'),
};

const LAST_DEAD_LETTER = 'SELECT coalesce(max(id), 0) AS last FROM order_service.dead_letters';

/** Orders are too many to be counted each time. */
const COUNTS = `
  SELECT coalesce(sum(orders), 0)::bigint AS orders, coalesce(sum(dead_letters), 0)::bigint AS dead_letters,
         (SELECT count(*) FROM ${ORDERS} WHERE pending_since IS NOT NULL) AS pending,
         (SELECT count(*) FROM order_service.dead_letters WHERE redriven_at IS NULL) AS held
  FROM order_service.positions`;
