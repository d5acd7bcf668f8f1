/** The file of the view, in the data folder. */
export const VIEW_FILE = 'order_view.sqlite';

/** Marks a file as a view with the tables of this version. */
export const VIEW_FORMAT = { applicationId: 0x4f45_5657, schemaVersion: 3 } as const;

/** The identity of the view. It is random, and made with the file. */
const IDENTITY = `
  CREATE TABLE identity (view_id TEXT NOT NULL) STRICT;
  INSERT INTO identity (view_id) VALUES (lower(hex(randomblob(8))));
`;

/**
 * Order ids are random, so each look-up or insert by id touches another page. The index that is searched by id therefore
 * holds nothing else. Orders are stored in the order of arrival, so that new orders share pages. Ids are listed in that
 * order too. Events are stored in the order of arrival as well, and each names the event before it of its order. A
 * history is read along that chain. An index by order would touch a random page for each event.
 *
 * No order, event or dead letter is ever deleted, so their last number is their count.
 */
export const SCHEMA = `${IDENTITY}
  CREATE TABLE orders (
    arrival     INTEGER PRIMARY KEY,
    order_id    TEXT NOT NULL UNIQUE,
    version     INTEGER NOT NULL,
    status      TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    ordered_at  INTEGER NOT NULL,
    last_event  INTEGER,
    body        TEXT NOT NULL
  ) STRICT;
  CREATE INDEX orders_by_time ON orders (ordered_at);
  CREATE INDEX orders_by_status ON orders (status, ordered_at);
  CREATE INDEX orders_by_customer ON orders (customer_id, ordered_at);
  CREATE TABLE waiting (
    order_id   TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    status     TEXT NOT NULL,
    since      INTEGER NOT NULL,
    last_event INTEGER
  ) STRICT;
  CREATE INDEX waiting_by_age ON waiting (since);
  CREATE TABLE events (
    sequence  INTEGER PRIMARY KEY,
    order_id  TEXT NOT NULL,
    previous  INTEGER,
    created   INTEGER NOT NULL,
    version   INTEGER,
    status    TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    "offset"  INTEGER NOT NULL,
    outcome   TEXT NOT NULL
  ) STRICT;
  CREATE TABLE seen_events (event_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE positions (
    topic     TEXT NOT NULL,
    partition INTEGER NOT NULL,
    topic_id  TEXT NOT NULL,
    next      INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE dead_letters (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    topic              TEXT NOT NULL,
    partition          INTEGER NOT NULL,
    "offset"           INTEGER NOT NULL,
    timestamp          INTEGER NOT NULL,
    key                BLOB,
    value              BLOB,
    headers            TEXT NOT NULL,
    reason             TEXT NOT NULL,
    is_whole           INTEGER NOT NULL DEFAULT 1,
    stored_at          INTEGER NOT NULL,
    redriven_at        INTEGER,
    redriven_partition INTEGER,
    redriven_offset    INTEGER,
    redriven_outcome   TEXT
  ) STRICT;
  CREATE INDEX dead_letters_held ON dead_letters (partition, "offset") WHERE redriven_at IS NULL;
  CREATE INDEX dead_letters_redriven ON dead_letters (id) WHERE redriven_at IS NOT NULL;
`;

/**
 * How a view of an earlier version is taken over. It could be built again from the log. But redriven messages of that
 * version carry no proof, so the letters would show as held again.
 */
export const VIEW_MIGRATIONS: Readonly<Record<number, string>> = {
  2: `ALTER TABLE dead_letters ADD COLUMN is_whole INTEGER NOT NULL DEFAULT 1;
  ${IDENTITY}`,
};
