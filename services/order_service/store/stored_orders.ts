import type { Order, OrderStatus } from '#kafka_common/models.ts';
import type { OrderFilter, OrderPage, OrderSortKey, Redrive, ViewedOrder } from '#order_service/consumer_db.ts';

/** What the stores read in the same way, because the columns have the same names and values in each. */

type Row = Readonly<Record<string, unknown>>;

/** The body has the status that the order was created with; the row has the present one. */
export const toViewedOrder = (row: Row): ViewedOrder => ({
  ...(JSON.parse(row['body'] as string) as Order),
  status: row['status'] as OrderStatus,
  version: row['version'] as number,
});

export const toRedrive = (row: Row): Redrive | null =>
  row['redriven_at'] === null
    ? null
    : {
        at: row['redriven_at'] as number,
        partition: row['redriven_partition'] as number,
        offset: row['redriven_offset'] as number,
        outcome: row['redriven_outcome'] as Redrive['outcome'],
      };

/** Orders that one page looks at if no index serves the whole filter. It bounds how long other requests wait (about 10 ms). */
const MAX_LOOKED_AT = 1_000;

/** The index of a filter with a customer and a status is that of the customer; the status of each order is checked. */
const isChecked = ({ customerId, status }: OrderFilter): boolean => customerId !== undefined && status !== undefined;

/** How many rows to read along the index for a page. */
export const rowsToLookAt = (filter: OrderFilter, limit: number): number => (isChecked(filter) ? MAX_LOOKED_AT : limit);

/** @param rows read along the index of the filter, as many as `rowsToLookAt` says if there are so many */
export const pageOf = (rows: readonly Row[], filter: OrderFilter, limit: number): OrderPage => {
  const fitting = isChecked(filter) ? rows.filter((row) => row['status'] === filter.status) : rows;
  const page = fitting.slice(0, limit);
  const isWhole = rows.length < rowsToLookAt(filter, limit) && page.length === fitting.length;
  const last = page.length < fitting.length ? page.at(-1) : rows.at(-1);
  return { orders: page.map(toViewedOrder), next: isWhole || last === undefined ? null : toSortKey(last) };
};

const toSortKey = (row: Row): OrderSortKey => ({
  orderedAt: row['ordered_at'] as number,
  arrival: row['arrival'] as number,
});
