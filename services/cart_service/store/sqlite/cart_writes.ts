import type { DatabaseSync } from 'node:sqlite';
import type { CartBatch, Committed } from '#cart_service/store/cart_store.ts';
import { prepareOrderWrites } from './order_writes.ts';
import { prepareRequestMemory } from './request_memory.ts';

const NONE: ReadonlySet<string> = new Set();

/** Prepares the statements of a batch. @returns applies a batch, inside a transaction of the caller */
export const prepareWrites = (db: DatabaseSync): ((batch: CartBatch) => Committed) => {
  const orders = prepareOrderWrites(db);
  const insertOutbox = db.prepare(
    `INSERT INTO outbox (seq, event_id, order_id, fingerprint, value, headers, idempotency_key)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const deleteOutbox = db.prepare('DELETE FROM outbox WHERE seq = ?');
  const memory = prepareRequestMemory(db);
  const upsertPosition = db.prepare('INSERT OR REPLACE INTO positions (partition, topic_id, next) VALUES (?, ?, ?)');

  const takeBack = ({ row, ...order }: CartBatch['takenBack'][number]): void => {
    deleteOutbox.run(row.seq);
    orders.takeBack(order);
    memory.forget(row.orderId, null, row.idempotencyKey);
  };

  return (batch) => {
    for (const { seq } of batch.settled) deleteOutbox.run(seq);
    batch.ahead.forEach(orders.setAhead);
    if (batch.isNewTopic) orders.clearAhead();
    batch.unanswered.forEach(memory.keep);
    for (const { orderId, fingerprint } of batch.forgotten) memory.forget(orderId, fingerprint, null);
    batch.takenBack.forEach(takeBack);
    for (const { seq, orderId, fingerprint, idempotencyKey } of batch.dropped) {
      deleteOutbox.run(seq);
      memory.forget(orderId, fingerprint, idempotencyKey);
    }
    batch.learned.forEach(orders.learn);
    const lost = new Set(batch.orders.filter((order) => !orders.decide(order)).map(({ state }) => state.orderId));
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
