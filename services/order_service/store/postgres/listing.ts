import type { Database } from '#service_common/postgres/database.ts';
import { toPostgresText } from '#service_common/stored_text.ts';
import type { OrderFilter, OrderPage, OrderSortKey } from '#order_service/consumer_db.ts';
import { pageOf, rowsToLookAt } from '#order_service/store/stored_orders.ts';

/**
 * Lists orders along an index. If the filter has both a customer and a status, the index is that of the customer, and
 * the status of each order is checked.
 */
export const listOrders = async (
  database: Database,
  filter: OrderFilter,
  after: OrderSortKey | null,
  limit: number,
): Promise<OrderPage> => {
  const lookAt = rowsToLookAt(filter, limit);
  const { text, values } = query(filter, after, lookAt);
  const rows = await database.query(text, values);
  return pageOf(rows, filter, limit);
};

const query = ({ customerId, status, from, to }: OrderFilter, after: OrderSortKey | null, lookAt: number) => {
  const conditions = ['arrival IS NOT NULL'];
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  if (customerId !== undefined) conditions.push(`customer_id = ${parameter(toPostgresText(customerId))}`);
  else if (status !== undefined) conditions.push(`status = ${parameter(status)}`);
  if (from !== undefined) conditions.push(`ordered_at >= ${parameter(from)}`);
  if (to !== undefined) conditions.push(`ordered_at < ${parameter(to)}`);
  if (after !== null)
    conditions.push(`(ordered_at, arrival) < (${parameter(after.orderedAt)}, ${parameter(after.arrival)})`);
  return {
    text: `SELECT arrival, ordered_at, version, status, body FROM order_service.orders
           WHERE ${conditions.join(' AND ')}
           ORDER BY ordered_at DESC, arrival DESC LIMIT ${parameter(lookAt)}`,
    values,
  };
};
