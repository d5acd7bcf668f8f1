import type { OrderStatus } from '#kafka_common/models.ts';
import type { Database } from '#service_common/postgres/database.ts';
import type { Row } from '#service_common/postgres/statements.ts';
import { fromPostgresText } from '#service_common/stored_text.ts';
import type { OrderState } from '#cart_service/order_commands.ts';
import type {
  IdempotencyRecord,
  LoadedOrders,
  LoggedOrder,
  OutboxRow,
  SeenPosition,
} from '#cart_service/store/cart_store.ts';

/** Look-ups by key in the place of joins: the planner cannot take them for a large join, and compile it. */
const ORDERS = `
  SELECT o.order_id, o.version, o.status, o.logged, o.pending,
         CASE WHEN o.ahead_topic = (SELECT number FROM cart_service.topic) THEN o.ahead END AS ahead,
         (SELECT x.instance FROM cart_service.outbox x WHERE x.order_id = o.order_id) AS instance,
         ARRAY(SELECT u.fingerprint FROM cart_service.unanswered u WHERE u.order_id = o.order_id) AS unanswered
  FROM cart_service.orders o
  WHERE o.order_id = ANY($1)`;

const KEYS = 'SELECT * FROM cart_service.idempotency_keys WHERE key = ANY($1)';

const EMPTY = { orders: [], keys: [] } as const;

/** @param instance the number of this one @throws StoreError `STORE_UNAVAILABLE` */
export const loadOrders = async (
  { query }: Pick<Database, 'query'>,
  instance: number,
  orderIds: readonly string[],
  idempotencyKeys: readonly string[],
): Promise<LoadedOrders> => {
  const [rows, keys] = await Promise.all([
    orderIds.length === 0 ? EMPTY.orders : query(ORDERS, [orderIds]),
    idempotencyKeys.length === 0 ? EMPTY.keys : query(KEYS, [idempotencyKeys]),
  ]);
  const orders = new Map<string, OrderState>();
  const logged = new Map<string, LoggedOrder>();
  const unanswered = new Map<string, readonly string[]>();
  const openElsewhere = new Set<string>();
  for (const row of rows) {
    const orderId = fromPostgresText(String(row['order_id']));
    orders.set(orderId, { orderId, version: Number(row['version']), status: row['status'] as OrderStatus });
    const ahead = row['ahead'] as number | null;
    logged.set(orderId, { version: Number(row['logged']), isPending: row['pending'] === true, ahead });
    const fingerprints = row['unanswered'] as readonly string[];
    if (fingerprints.length > 0) unanswered.set(orderId, fingerprints);
    if (row['instance'] !== null && row['instance'] !== instance) openElsewhere.add(orderId);
  }
  return { orders, logged, unanswered, idempotency: new Map(keys.map(toRecord)), openElsewhere };
};

const toRecord = (row: Row): [string, IdempotencyRecord] => {
  const key = String(row['key']);
  const refusal = row['refusal'] as string | null;
  const record = {
    key,
    fingerprint: String(row['fingerprint']),
    orderId: fromPostgresText(String(row['order_id'])),
    refusal: refusal === null ? null : (JSON.parse(refusal) as IdempotencyRecord['refusal']),
    createdAt: Number(row['created_at']),
  };
  return [key, record];
};

export const toOutboxRow = (row: Row): OutboxRow => ({
  seq: Number(row['seq']),
  eventId: String(row['event_id']),
  orderId: fromPostgresText(String(row['order_id'])),
  fingerprint: row['fingerprint'] as string | null,
  idempotencyKey: row['idempotency_key'] as string | null,
  message: {
    key: fromPostgresText(String(row['order_id'])),
    value: String(row['value']),
    headers: JSON.parse(String(row['headers'])) as Record<string, string>,
  },
});

export const toPosition = (row: Row): SeenPosition => ({
  partition: Number(row['partition']),
  topicId: String(row['topic_id']),
  next: Number(row['next']),
});
