import type { DatabaseSync } from 'node:sqlite';
import type { OrderState } from '#cart_service/order_commands.ts';
import type { CartBatch } from '#cart_service/store/cart_store.ts';

/** Bounds the work of one batch, so that a backlog of old keys does not hold it up. */
const EXPIRED_AT_A_TIME = 500;

/** Prepares the statements of a batch. @returns applies a batch, inside a transaction of the caller */
export const prepareWrites = (db: DatabaseSync): ((batch: CartBatch) => void) => {
  const upsertOrder = db.prepare(
    `INSERT INTO orders (order_id, version, status) VALUES (?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status`,
  );
  const learnOrder = db.prepare(
    `INSERT INTO orders (order_id, version, status, logged) VALUES (?1, ?2, ?3, ?2)
     ON CONFLICT (order_id) DO UPDATE SET
       status = iif(excluded.version >= version, excluded.status, status),
       version = max(version, excluded.version),
       logged = max(logged, excluded.logged)`,
  );
  const UNTOUCHED = 'order_id = ? AND version = ? AND status = ? AND logged < version';
  const deleteOrder = db.prepare(`DELETE FROM orders WHERE ${UNTOUCHED}`);
  const restoreOrder = db.prepare(`UPDATE orders SET version = ?, status = ? WHERE ${UNTOUCHED}`);
  const insertOutbox = db.prepare(
    `INSERT INTO outbox (seq, event_id, order_id, fingerprint, value, headers, idempotency_key)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const deleteOutbox = db.prepare('DELETE FROM outbox WHERE seq = ?');
  const upsertUnanswered = db.prepare('INSERT OR REPLACE INTO unanswered (order_id, fingerprint, at) VALUES (?, ?, ?)');
  const deleteUnanswered = db.prepare('DELETE FROM unanswered WHERE order_id = ? AND fingerprint = ?');
  const upsertKey = db.prepare(
    'INSERT OR REPLACE INTO idempotency_keys (key, fingerprint, order_id, refusal, created_at) VALUES (?, ?, ?, ?, ?)',
  );
  const deleteKey = db.prepare('DELETE FROM idempotency_keys WHERE key = ?');
  const expireKeys = db.prepare(
    `DELETE FROM idempotency_keys WHERE rowid IN
       (SELECT rowid FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ${EXPIRED_AT_A_TIME})`,
  );
  const expireUnanswered = db.prepare(
    `DELETE FROM unanswered WHERE rowid IN
       (SELECT rowid FROM unanswered WHERE at < ? ORDER BY at LIMIT ${EXPIRED_AT_A_TIME})`,
  );
  const upsertPosition = db.prepare('INSERT OR REPLACE INTO positions (partition, topic_id, next) VALUES (?, ?, ?)');

  const saveOrder = ({ orderId, version, status }: OrderState): void => {
    upsertOrder.run(orderId, version, status);
  };

  const takeBack = ({ seq, state, previous, idempotencyKey }: CartBatch['takenBack'][number]): void => {
    deleteOutbox.run(seq);
    const { orderId, version, status } = state;
    if (previous === null) deleteOrder.run(orderId, version, status);
    else restoreOrder.run(previous.version, previous.status, orderId, version, status);
    if (idempotencyKey !== null) deleteKey.run(idempotencyKey);
  };

  return (batch) => {
    for (const seq of batch.settled) deleteOutbox.run(seq);
    for (const { orderId, fingerprint, at } of batch.unanswered) upsertUnanswered.run(orderId, fingerprint, at);
    for (const { orderId, fingerprint } of batch.forgotten) deleteUnanswered.run(orderId, fingerprint);
    batch.takenBack.forEach(takeBack);
    for (const { seq, orderId, fingerprint, idempotencyKey } of batch.dropped) {
      deleteOutbox.run(seq);
      if (fingerprint !== null) deleteUnanswered.run(orderId, fingerprint);
      if (idempotencyKey !== null) deleteKey.run(idempotencyKey);
    }
    for (const { orderId, version, status } of batch.learned) learnOrder.run(orderId, version, status);
    batch.orders.forEach(saveOrder);
    for (const { seq, eventId, orderId, fingerprint, message, idempotencyKey } of batch.outbox) {
      const headers = JSON.stringify(message.headers);
      insertOutbox.run(seq, eventId, orderId, fingerprint, message.value, headers, idempotencyKey);
    }
    for (const { key, fingerprint, orderId, refusal, createdAt } of batch.idempotency) {
      upsertKey.run(key, fingerprint, orderId, refusal === null ? null : JSON.stringify(refusal), createdAt);
    }
    for (const { partition, topicId, next } of batch.positions) upsertPosition.run(partition, topicId, next);
    if (batch.expireBefore !== null) {
      expireKeys.run(batch.expireBefore);
      expireUnanswered.run(batch.expireBefore);
    }
  };
};
