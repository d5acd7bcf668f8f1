import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { OrderStatus } from '#kafka_common/models.ts';
import { lockFile } from '#service_common/sqlite/file_lock.ts';
import { prepareLookup } from '#service_common/sqlite/lookup.ts';
import { openDatabase } from '#service_common/sqlite/open_database.ts';
import { commitTransaction } from '#service_common/sqlite/transactions.ts';
import type {
  CartBatch,
  CartStore,
  IdempotencyRecord,
  LoadedOrders,
  OrderState,
  OutboxRow,
  SeenPosition,
} from './cart_store.ts';

const SCHEMA = `
  CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    version  INTEGER NOT NULL,
    status   TEXT NOT NULL
  );
  CREATE TABLE outbox (
    seq         INTEGER PRIMARY KEY,
    event_id    TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    fingerprint TEXT,
    value       TEXT NOT NULL,
    headers     TEXT NOT NULL
  );
  CREATE TABLE unanswered (
    order_id    TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL
  );
  CREATE TABLE idempotency_keys (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    refusal     TEXT,
    created_at  INTEGER NOT NULL
  );
  CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
  CREATE TABLE positions (
    partition INTEGER PRIMARY KEY,
    topic_id  TEXT NOT NULL,
    next      INTEGER NOT NULL
  );
`;

/** So that forgetting a backlog of keys does not hold up the batch that it rides on. */
const EXPIRED_AT_A_TIME = 500;

type Row = Record<string, SQLOutputValue>;

export const CART_STORE_FILE = 'cart.sqlite';

/** The Cart Service's store in a SQLite file in `directory`, locked for this process. @throws StoreError `STORE_REFUSED` */
export const createSqliteCartStore = ({ directory }: { directory: string }): CartStore => {
  const db = openDatabase({
    directory,
    name: CART_STORE_FILE,
    applicationId: 0x6f_65_63_61,
    schemaVersion: 1,
    schema: SCHEMA,
    checkpointedElsewhere: true,
  });
  const unlock = lockOrClose(db, directory);

  const selectOrders = prepareLookup(
    db,
    (ids) => `SELECT order_id, version, status FROM orders WHERE order_id IN (${ids})`,
  );
  const selectUnanswered = db.prepare('SELECT fingerprint FROM unanswered WHERE order_id = ?');
  const selectKey = db.prepare('SELECT * FROM idempotency_keys WHERE key = ?');
  const selectOutbox = db.prepare('SELECT * FROM outbox ORDER BY seq');
  const selectPositions = db.prepare('SELECT * FROM positions');

  const upsertOrder = db.prepare(
    `INSERT INTO orders (order_id, version, status) VALUES (?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status`,
  );
  const learnOrder = db.prepare(
    `INSERT INTO orders (order_id, version, status) VALUES (?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status
       WHERE excluded.version >= version`,
  );
  const deleteOrder = db.prepare('DELETE FROM orders WHERE order_id = ?');
  const insertOutbox = db.prepare(
    'INSERT INTO outbox (seq, event_id, order_id, fingerprint, value, headers) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const deleteOutbox = db.prepare('DELETE FROM outbox WHERE seq = ?');
  const upsertUnanswered = db.prepare('INSERT OR REPLACE INTO unanswered (order_id, fingerprint) VALUES (?, ?)');
  const upsertKey = db.prepare(
    'INSERT OR REPLACE INTO idempotency_keys (key, fingerprint, order_id, refusal, created_at) VALUES (?, ?, ?, ?, ?)',
  );
  const deleteKey = db.prepare('DELETE FROM idempotency_keys WHERE key = ?');
  const expireKeys = db.prepare(
    `DELETE FROM idempotency_keys WHERE rowid IN
       (SELECT rowid FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ${EXPIRED_AT_A_TIME})`,
  );
  const upsertPosition = db.prepare('INSERT OR REPLACE INTO positions (partition, topic_id, next) VALUES (?, ?, ?)');

  const saveOrder = ({ orderId, version, status }: OrderState): void => {
    upsertOrder.run(orderId, version, status);
  };

  const apply = (batch: CartBatch): void => {
    for (const seq of batch.settled) deleteOutbox.run(seq);
    for (const { orderId, fingerprint } of batch.unanswered) upsertUnanswered.run(orderId, fingerprint);
    for (const { seq, orderId, previous, idempotencyKey } of batch.takenBack) {
      deleteOutbox.run(seq);
      if (previous === null) deleteOrder.run(orderId);
      else saveOrder(previous);
      if (idempotencyKey !== null) deleteKey.run(idempotencyKey);
    }
    for (const { orderId, version, status } of batch.learned) learnOrder.run(orderId, version, status);
    batch.orders.forEach(saveOrder);
    for (const { seq, eventId, orderId, fingerprint, message } of batch.outbox) {
      insertOutbox.run(seq, eventId, orderId, fingerprint, message.value, JSON.stringify(message.headers));
    }
    for (const { key, fingerprint, orderId, refusal, createdAt } of batch.idempotency) {
      upsertKey.run(key, fingerprint, orderId, refusal === null ? null : JSON.stringify(refusal), createdAt);
    }
    for (const { partition, topicId, next } of batch.positions) upsertPosition.run(partition, topicId, next);
    if (batch.expireBefore !== null) expireKeys.run(batch.expireBefore);
  };

  return {
    // oxlint-disable-next-line require-await -- node:sqlite is synchronous, the seam is not
    async load(orderIds, idempotencyKeys): Promise<LoadedOrders> {
      const orders = new Map<string, OrderState>();
      const unanswered = new Map<string, string>();
      const idempotency = new Map<string, IdempotencyRecord>();
      for (const row of selectOrders(orderIds)) {
        const orderId = String(row['order_id']);
        orders.set(orderId, { orderId, version: Number(row['version']), status: row['status'] as OrderStatus });
        const fingerprint = selectUnanswered.get(orderId)?.['fingerprint'];
        if (fingerprint !== undefined) unanswered.set(orderId, String(fingerprint));
      }
      for (const key of idempotencyKeys) {
        const row = selectKey.get(key);
        if (row !== undefined) idempotency.set(key, toIdempotencyRecord(row));
      }
      return { orders, unanswered, idempotency };
    },

    // oxlint-disable-next-line require-await -- see load
    async commit(batch) {
      commitTransaction(db, () => apply(batch));
    },

    // oxlint-disable-next-line require-await -- see load
    async outbox() {
      return selectOutbox.all().map(toOutboxRow);
    },

    // oxlint-disable-next-line require-await -- see load
    async positions() {
      return selectPositions.all().map(toPosition);
    },

    // oxlint-disable-next-line require-await -- see load
    async close() {
      db.close();
      unlock();
    },
  };
};

const lockOrClose = (db: DatabaseSync, directory: string): (() => void) => {
  try {
    return lockFile({ directory, name: CART_STORE_FILE });
  } catch (error) {
    db.close();
    throw error;
  }
};

const toOutboxRow = (row: Row): OutboxRow => ({
  seq: Number(row['seq']),
  eventId: String(row['event_id']),
  orderId: String(row['order_id']),
  fingerprint: row['fingerprint'] === null ? null : String(row['fingerprint']),
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
