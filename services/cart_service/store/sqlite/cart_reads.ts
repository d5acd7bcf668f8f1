import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { OrderStatus } from '#kafka_common/models.ts';
import { prepareLookup } from '#service_common/sqlite/lookup.ts';
import type { OrderState } from '#cart_service/order_commands.ts';
import type {
  IdempotencyRecord,
  LoadedOrders,
  LoggedOrder,
  OutboxRow,
  SeenPosition,
} from '#cart_service/store/cart_store.ts';

export interface CartReads {
  load(orderIds: readonly string[], idempotencyKeys: readonly string[]): LoadedOrders;
  outbox(): OutboxRow[];
  positions(): SeenPosition[];
  lastSeq(): number;
}

/** A file has one process. */
const NONE: ReadonlySet<string> = new Set();

type Row = Record<string, SQLOutputValue>;

/** Prepares the queries of the store. */
export const prepareReads = (db: DatabaseSync): CartReads => {
  const selectOrders = prepareLookup(
    db,
    (ids) => `SELECT order_id, version, status, logged, pending, ahead FROM orders WHERE order_id IN (${ids})`,
  );
  const selectUnanswered = db.prepare('SELECT fingerprint FROM unanswered WHERE order_id = ?');
  const selectKey = db.prepare('SELECT * FROM idempotency_keys WHERE key = ?');
  const selectOutbox = db.prepare('SELECT * FROM outbox ORDER BY seq');
  const selectLastSeq = db.prepare('SELECT coalesce(max(seq), 0) AS last FROM outbox');
  const selectPositions = db.prepare('SELECT * FROM positions');

  return {
    load(orderIds, idempotencyKeys) {
      const orders = new Map<string, OrderState>();
      const logged = new Map<string, LoggedOrder>();
      const unanswered = new Map<string, readonly string[]>();
      const idempotency = new Map<string, IdempotencyRecord>();
      for (const row of selectOrders(orderIds)) {
        const orderId = String(row['order_id']);
        orders.set(orderId, { orderId, version: Number(row['version']), status: row['status'] as OrderStatus });
        const ahead = row['ahead'] === null ? null : Number(row['ahead']);
        logged.set(orderId, { version: Number(row['logged']), isPending: row['pending'] === 1, ahead });
        const requests = selectUnanswered.all(orderId);
        if (requests.length > 0) unanswered.set(orderId, requests.map(fingerprintOf));
      }
      for (const key of idempotencyKeys) {
        const row = selectKey.get(key);
        if (row !== undefined) idempotency.set(key, toIdempotencyRecord(row));
      }
      return { orders, logged, unanswered, idempotency, openElsewhere: NONE };
    },
    outbox: () => selectOutbox.all().map(toOutboxRow),
    lastSeq: () => Number(selectLastSeq.get()?.['last']),
    positions: () => selectPositions.all().map(toPosition),
  };
};

const textOrNull = (value: SQLOutputValue | undefined): string | null => (value === null ? null : String(value));

const fingerprintOf = (row: Row): string => String(row['fingerprint']);

const toOutboxRow = (row: Row): OutboxRow => ({
  seq: Number(row['seq']),
  eventId: String(row['event_id']),
  orderId: String(row['order_id']),
  fingerprint: textOrNull(row['fingerprint']),
  idempotencyKey: textOrNull(row['idempotency_key']),
  message: {
    key: String(row['order_id']),
    value: String(row['value']),
    headers: JSON.parse(String(row['headers'])) as Record<string, string>,
  },
});

const toIdempotencyRecord = (row: Row): IdempotencyRecord => ({
  key: String(row['key']),
  fingerprint: String(row['fingerprint']),
  orderId: String(row['order_id']),
  refusal: row['refusal'] === null ? null : (JSON.parse(String(row['refusal'])) as IdempotencyRecord['refusal']),
  createdAt: Number(row['created_at']),
});

const toPosition = (row: Row): SeenPosition => ({
  partition: Number(row['partition']),
  topicId: String(row['topic_id']),
  next: Number(row['next']),
});
