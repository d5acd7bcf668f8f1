import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { toSqliteText } from '#service_common/stored_text.ts';
import type { OrderFilter, OrderPage, OrderSortKey } from '#order_service/consumer_db.ts';
import { type Row, toViewedOrder } from './rows.ts';

/** Orders that one page looks at if no index serves the whole filter. It bounds how long other requests wait (about 10 ms). */
const MAX_LOOKED_AT = 1_000;

type List = (filter: OrderFilter, after: OrderSortKey | null, limit: number) => OrderPage;

/**
 * Lists orders along the index that serves the filter best. If the filter has both a customer and a status, the index is
 * that of the customer, and the status of each order is checked.
 */
export const prepareListing = (db: DatabaseSync): List => {
  const statements = new Map<string, StatementSync>();
  const prepared = (text: string): StatementSync => {
    const statement = statements.get(text) ?? db.prepare(text);
    statements.set(text, statement);
    return statement;
  };

  return (filter, after, limit) => {
    const isChecked = filter.customerId !== undefined && filter.status !== undefined;
    const lookAt = isChecked ? MAX_LOOKED_AT : limit;
    const { text, values } = query(filter, after);
    const rows = prepared(text).all(...values, lookAt);
    const fitting = isChecked ? rows.filter((row) => row['status'] === filter.status) : rows;
    const page = fitting.slice(0, limit);
    const isWhole = rows.length < lookAt && page.length === fitting.length;
    const last = page.length < fitting.length ? page.at(-1) : rows.at(-1);
    return { orders: page.map(toViewedOrder), next: isWhole || last === undefined ? null : toSortKey(last) };
  };
};

const query = ({ customerId, status, from, to }: OrderFilter, after: OrderSortKey | null) => {
  const [index, column, value] =
    customerId !== undefined
      ? (['orders_by_customer', 'customer_id', toSqliteText(customerId)] as const)
      : status !== undefined
        ? (['orders_by_status', 'status', status] as const)
        : (['orders_by_time', null, null] as const);
  const conditions: [text: string, ...values: SQLInputValue[]][] = [];
  if (column !== null) conditions.push([`${column} = ?`, value]);
  if (from !== undefined) conditions.push(['ordered_at >= ?', from]);
  if (to !== undefined) conditions.push(['ordered_at < ?', to]);
  if (after !== null) conditions.push(['(ordered_at, arrival) < (?, ?)', after.orderedAt, after.arrival]);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([text]) => text).join(' AND ')}`;
  return {
    text: `SELECT arrival, ordered_at, version, status, body FROM orders INDEXED BY ${index} ${where}
           ORDER BY ordered_at DESC, arrival DESC LIMIT ?`,
    values: conditions.flatMap(([, ...rest]) => rest),
  };
};

const toSortKey = (row: Row): OrderSortKey => ({
  orderedAt: row['ordered_at'] as number,
  arrival: row['arrival'] as number,
});
