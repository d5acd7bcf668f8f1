import type { DatabaseSync } from 'node:sqlite';
import type { OrderState } from '#cart_service/order_commands.ts';
import type { CartBatch } from '#cart_service/store/cart_store.ts';
import { prepareRequestMemory } from './request_memory.ts';

/** Prepares the statements of a batch. @returns applies a batch, inside a transaction of the caller */
export const prepareWrites = (db: DatabaseSync): ((batch: CartBatch) => void) => {
  const upsertOrder = db.prepare(
    `INSERT INTO orders (order_id, version, status) VALUES (?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status, ahead = NULL
     WHERE excluded.version > version`,
  );
  const learnOrder = db.prepare(
    `INSERT INTO orders (order_id, version, status, logged, pending) VALUES (?1, ?2, ?3, ?5, ?4)
     ON CONFLICT (order_id) DO UPDATE SET
       status = iif(excluded.version >= version, excluded.status, status),
       version = max(version, excluded.version),
       logged = max(logged, excluded.logged),
       pending = excluded.pending`,
  );
  const UNTOUCHED = 'order_id = ? AND version = ? AND status = ? AND logged < version';
  const deleteOrder = db.prepare(`DELETE FROM orders WHERE ${UNTOUCHED}`);
  const restoreOrder = db.prepare(`UPDATE orders SET version = ?, status = ?, ahead = NULL WHERE ${UNTOUCHED}`);
  const insertOutbox = db.prepare(
    `INSERT INTO outbox (seq, event_id, order_id, fingerprint, value, headers, idempotency_key)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const deleteOutbox = db.prepare('DELETE FROM outbox WHERE seq = ?');
  const setAhead = db.prepare('UPDATE orders SET ahead = ? WHERE order_id = ? AND version = ?');
  const clearAhead = db.prepare('UPDATE orders SET ahead = NULL WHERE ahead IS NOT NULL');
  const memory = prepareRequestMemory(db);
  const upsertPosition = db.prepare('INSERT OR REPLACE INTO positions (partition, topic_id, next) VALUES (?, ?, ?)');

  const saveOrder = ({ orderId, version, status }: OrderState): void => {
    upsertOrder.run(orderId, version, status);
  };

  const takeBack = ({ seq, state, previous, idempotencyKey }: CartBatch['takenBack'][number]): void => {
    deleteOutbox.run(seq);
    const { orderId, version, status } = state;
    if (previous === null) deleteOrder.run(orderId, version, status);
    else restoreOrder.run(previous.version, previous.status, orderId, version, status);
    memory.forget(orderId, null, idempotencyKey);
  };

  return (batch) => {
    for (const seq of batch.settled) deleteOutbox.run(seq);
    for (const { orderId, version, offset } of batch.ahead) setAhead.run(offset, orderId, version);
    if (batch.isNewTopic) clearAhead.run();
    batch.unanswered.forEach(memory.keep);
    for (const { orderId, fingerprint } of batch.forgotten) memory.forget(orderId, fingerprint, null);
    batch.takenBack.forEach(takeBack);
    for (const { seq, orderId, fingerprint, idempotencyKey } of batch.dropped) {
      deleteOutbox.run(seq);
      memory.forget(orderId, fingerprint, idempotencyKey);
    }
    for (const { orderId, version, status, isPending = false, logged = version } of batch.learned) {
      learnOrder.run(orderId, version, status, isPending ? 1 : 0, logged);
    }
    batch.orders.forEach(saveOrder);
    for (const { seq, eventId, orderId, fingerprint, message, idempotencyKey } of batch.outbox) {
      const headers = JSON.stringify(message.headers);
      insertOutbox.run(seq, eventId, orderId, fingerprint, message.value, headers, idempotencyKey);
    }
    batch.idempotency.forEach(memory.record);
    for (const { partition, topicId, next } of batch.positions) upsertPosition.run(partition, topicId, next);
    if (batch.expireBefore !== null) memory.expire(batch.expireBefore);
  };
};
