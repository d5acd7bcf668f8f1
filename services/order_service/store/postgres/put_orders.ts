import type { Order } from '#kafka_common/models.ts';
import type { Query, Row } from '#service_common/postgres/statements.ts';
import { toPostgresText } from '#service_common/stored_text.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { AppliedBatch, OrderView } from '#order_service/consumer_db.ts';
import { toText } from './rows.ts';

/** What a decision was made on: each order that was there, with the revision of its row. */
export type ViewBasis = ReadonlyMap<string, { readonly revision: number; readonly isPending: boolean }>;

/** The views of a batch, by what is done with each. */
export interface OrderChanges {
  readonly created: readonly PutOrder[];
  readonly changed: readonly OrderView[];
  /** Those of which the body comes too. */
  readonly replaced: readonly PutOrder[];
  /** How many orders more there are then. */
  readonly arrivals: number;
}

interface PutOrder {
  readonly view: OrderView;
  /** Null: a pending status. */
  readonly body: Order | null;
}

export const orderChanges = ({ views, orders }: AppliedBatch, basis: ViewBasis): OrderChanges => {
  const bodies = new Map(orders.map((order) => [order.orderId, order]));
  const created: PutOrder[] = [];
  const changed: OrderView[] = [];
  const replaced: PutOrder[] = [];
  let arrivals = 0;
  for (const view of views) {
    const known = basis.get(view.orderId);
    const body = view.pendingSince === null ? (bodies.get(view.orderId) ?? null) : null;
    if (body !== null && known?.isPending !== false) arrivals += 1;
    if (known === undefined) {
      if (body !== null || view.pendingSince !== null) created.push({ view, body });
    } else if (body === null) changed.push(view);
    else replaced.push({ view, body });
  }
  return { created, changed, replaced, arrivals };
};

/**
 * Sends the statements that lock the known orders and change them.
 * @returns the locked rows and the number of new rows, to be compared
 */
export const putOrders = async (query: Query, { created, changed, replaced }: OrderChanges) => {
  const known = [...changed, ...replaced.map(({ view }) => view)];
  const none = Promise.resolve<readonly Row[]>([]);
  const [locked, inserted] = await Promise.all([
    known.length === 0 ? none : query(LOCK, [idsOf(known)]),
    created.length === 0 ? none : query(INSERT, columnsOf(created)),
    changed.length === 0 ? none : query(CHANGE, viewColumns(changed)),
    replaced.length === 0 ? none : query(REPLACE, columnsOf(replaced)),
  ]);
  return { locked, inserted: created.length === 0 ? 0 : Number(inserted[0]?.['inserted']) };
};

/** @throws StoreError `STORE_CHANGED` */
export const compareOrders = (
  { locked, inserted }: Awaited<ReturnType<typeof putOrders>>,
  { created, changed, replaced }: OrderChanges,
  basis: ViewBasis,
): void => {
  const isSame = (row: Row): boolean => basis.get(toText(row['order_id']))?.revision === row['revision'];
  if (locked.length === changed.length + replaced.length && locked.every(isSame) && inserted === created.length) return;
  throw new StoreError('STORE_CHANGED', 'another process has changed an order since this transaction was decided');
};

const idsOf = (views: readonly OrderView[]): string[] => views.map(({ orderId }) => toPostgresText(orderId));

const viewColumns = (views: readonly OrderView[]): unknown[] => [
  idsOf(views),
  views.map(({ version }) => version),
  views.map(({ status }) => status),
  views.map(({ pendingSince }) => pendingSince),
];

const columnsOf = (orders: readonly PutOrder[]): unknown[] => [
  ...viewColumns(orders.map(({ view }) => view)),
  orders.map(({ body }) => (body === null ? null : toPostgresText(body.customerId))),
  orders.map(({ body }) => (body === null ? null : Date.parse(body.orderDate))),
  // JSON escapes what a text of PostgreSQL cannot hold.
  orders.map(({ body }) => (body === null ? null : JSON.stringify(body))),
];

/** Locks in the order of the ids. Two transactions that lock the same orders in other orders would wait for each other. */
const LOCK = `
  SELECT order_id, revision FROM order_service.orders WHERE order_id = ANY ($1::text[])
  ORDER BY order_id FOR UPDATE`;

const GIVEN = `unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[])
  AS g(order_id, version, status, pending_since, customer_id, ordered_at, body)`;

/** Numbers the arrivals in the order of the batch, then inserts in the order of the ids: an insert waits for another one. */
const INSERT = `
  WITH given AS MATERIALIZED (
    SELECT g.*, CASE WHEN body IS NOT NULL THEN nextval('order_service.arrivals') END AS arrival FROM ${GIVEN}
  ), put AS (
    INSERT INTO order_service.orders
      (order_id, version, status, pending_since, customer_id, ordered_at, body, arrival)
    SELECT * FROM given ORDER BY order_id COLLATE "C"
    ON CONFLICT (order_id) DO NOTHING RETURNING 1
  )
  SELECT count(*) AS inserted FROM put`;

const CHANGE = `
  UPDATE order_service.orders o
  SET revision = revision + 1, version = g.version, status = g.status, pending_since = g.pending_since
  FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) AS g(order_id, version, status, pending_since)
  WHERE o.order_id = g.order_id`;

const REPLACE = `
  UPDATE order_service.orders o
  SET revision = revision + 1, version = g.version, status = g.status, pending_since = NULL,
      customer_id = g.customer_id, ordered_at = g.ordered_at, body = g.body,
      arrival = coalesce(o.arrival, nextval('order_service.arrivals'))
  FROM ${GIVEN}
  WHERE o.order_id = g.order_id`;
