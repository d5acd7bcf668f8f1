import type { DatabaseSync } from 'node:sqlite';
import type { IdempotencyRecord, UnansweredRequest } from '#cart_service/store/cart_store.ts';

/** What the store remembers of requests: the first answer under each idempotency key, and requests without a success. */
interface RequestMemory {
  record(record: IdempotencyRecord): void;
  keep(request: UnansweredRequest): void;
  forget(orderId: string, fingerprint: string | null, idempotencyKey: string | null): void;
  /** @param before ms since 1970 */
  expire(before: number): void;
}

/** Bounds the work of one batch, so that a backlog of old keys does not hold it up. */
const EXPIRED_AT_A_TIME = 500;

export const prepareRequestMemory = (db: DatabaseSync): RequestMemory => {
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

  return {
    record({ key, fingerprint, orderId, refusal, createdAt }) {
      upsertKey.run(key, fingerprint, orderId, refusal === null ? null : JSON.stringify(refusal), createdAt);
    },
    keep({ orderId, fingerprint, at }) {
      upsertUnanswered.run(orderId, fingerprint, at);
    },
    forget(orderId, fingerprint, idempotencyKey) {
      if (fingerprint !== null) deleteUnanswered.run(orderId, fingerprint);
      if (idempotencyKey !== null) deleteKey.run(idempotencyKey);
    },
    expire(before) {
      expireKeys.run(before);
      expireUnanswered.run(before);
    },
  };
};
