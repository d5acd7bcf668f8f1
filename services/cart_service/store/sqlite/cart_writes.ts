import type { DatabaseSync } from 'node:sqlite';
import type { CartBatch, Committed, DecidedOrder } from '#cart_service/store/cart_store.ts';
import { prepareRequestMemory } from './request_memory.ts';

const NONE: ReadonlySet<string> = new Set();

/** Prepares the statements of a batch. @returns applies a batch, inside a transaction of the caller */
export const prepareWrites = (db: DatabaseSync): ((batch: CartBatch) => Committed) => {
  const insertOrder = db.prepare(
    'INSERT INTO orders (order_id, version, status) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const updateOrder = db.prepare(
    'UPDATE orders SET version = ?, status = ?, ahead = NULL WHERE order_id = ? AND version = ? AND status = ?',
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

  /** @returns false if the order is not as it was decided on */
  const saveOrder = ({ state: { orderId, version, status }, previous }: DecidedOrder): boolean => {
    const { changes } =
      previous === null
        ? insertOrder.run(orderId, version, status)
        : updateOrder.run(version, status, orderId, previous.version, previous.status);
    return changes === 1;
  };

  const takeBack = ({ row, state, previous }: CartBatch['takenBack'][number]): void => {
    deleteOutbox.run(row.seq);
    const { orderId, version, status } = state;
    if (previous === null) deleteOrder.run(orderId, version, status);
    else restoreOrder.run(previous.version, previous.status, orderId, version, status);
    memory.forget(orderId, null, row.idempotencyKey);
  };

  return (batch) => {
    for (const { seq } of batch.settled) deleteOutbox.run(seq);
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
    const lost = new Set(batch.orders.filter((order) => !saveOrder(order)).map(({ state }) => state.orderId));
    const isLost = ({ orderId }: { readonly orderId: string }): boolean => lost.size > 0 && lost.has(orderId);
    for (const { seq, eventId, orderId, fingerprint, message, idempotencyKey } of batch.outbox) {
      if (isLost({ orderId })) continue;
      const headers = JSON.stringify(message.headers);
      insertOutbox.run(seq, eventId, orderId, fingerprint, message.value, headers, idempotencyKey);
    }
    for (const record of batch.idempotency) if (!isLost(record)) memory.record(record);
    for (const { partition, topicId, next } of batch.positions) upsertPosition.run(partition, topicId, next);
    if (batch.expireBefore !== null) memory.expire(batch.expireBefore);
    return { lost, takenOver: NONE };
  };
};
