/** The tables of the Cart Service's store, and the marks of its file. */
export const CART_FILE = {
  name: 'cart.sqlite',
  applicationId: 0x6f_65_63_61,
  schemaVersion: 4,
  schema: `
    CREATE TABLE orders (
      order_id TEXT PRIMARY KEY,
      version  INTEGER NOT NULL,
      status   TEXT NOT NULL,
      -- The highest version that was read from the log.
      logged   INTEGER NOT NULL DEFAULT 0,
      -- 1: a status was read from the log, and the creation was not.
      pending  INTEGER NOT NULL DEFAULT 0,
      -- The offset of the acknowledged own event that has this version, if it lies ahead of what was read.
      ahead    INTEGER
    );
    CREATE TABLE outbox (
      seq             INTEGER PRIMARY KEY,
      event_id        TEXT NOT NULL,
      order_id        TEXT NOT NULL,
      fingerprint     TEXT,
      value           TEXT NOT NULL,
      headers         TEXT NOT NULL,
      idempotency_key TEXT
    );
    CREATE TABLE unanswered (
      order_id    TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      at          INTEGER,
      PRIMARY KEY (order_id, fingerprint)
    );
    CREATE INDEX unanswered_by_age ON unanswered (at) WHERE at IS NOT NULL;
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
  migrations: {
    // Version 1 knew unanswered creates only, and took over any version that another producer wrote.
    1: `
      ALTER TABLE orders ADD COLUMN logged INTEGER NOT NULL DEFAULT 0;
      UPDATE orders SET version = 2147483647 WHERE version > 2147483647;
      ALTER TABLE outbox ADD COLUMN idempotency_key TEXT;
      UPDATE outbox SET idempotency_key = (
        SELECT key FROM idempotency_keys AS known
        WHERE known.order_id = outbox.order_id AND known.fingerprint = outbox.fingerprint AND known.refusal IS NULL
      );
      ALTER TABLE unanswered RENAME TO unanswered_creates;
      CREATE TABLE unanswered (
        order_id    TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        at          INTEGER,
        PRIMARY KEY (order_id, fingerprint)
      );
      CREATE INDEX unanswered_by_age ON unanswered (at) WHERE at IS NOT NULL;
      INSERT INTO unanswered SELECT order_id, fingerprint, NULL FROM unanswered_creates;
      DROP TABLE unanswered_creates;
    `,
    2: 'ALTER TABLE orders ADD COLUMN pending INTEGER NOT NULL DEFAULT 0',
    3: 'ALTER TABLE orders ADD COLUMN ahead INTEGER',
  },
} as const;
