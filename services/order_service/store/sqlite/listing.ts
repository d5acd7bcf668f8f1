import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { toSqliteText } from '#service_common/stored_text.ts';
import type { OrderFilter, OrderPage, OrderSortKey } from '#order_service/consumer_db.ts';
import { pageOf, rowsToLookAt } from '#order_service/store/stored_orders.ts';

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
    const lookAt = rowsToLookAt(filter, limit);
    const { text, values } = query(filter, after);
    const rows = prepared(text).all(...values, lookAt);
    return pageOf(rows, filter, limit);
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
