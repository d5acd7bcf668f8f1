/** The tables of the Cart Service's store, and the marks of its file. */
export const CART_FILE = {
  name: 'cart.sqlite',
  applicationId: 0x6f_65_63_61,
  schemaVersion: 1,
  schema: `
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
  `,
} as const;
