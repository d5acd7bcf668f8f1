import type { DatabaseSync } from 'node:sqlite';
import { prepareLookup } from '#service_common/sqlite/lookup.ts';

/**
 * Order ids are random, so every look-up and insert by id touches another page: the index that is searched by id holds
 * nothing else. Orders themselves are kept in the order of arrival, which is also the order in which ids are listed, so
 * that new ones share pages. So are events, of which each names the one before it of its order: a history is read
 * along that chain, and needs no index that every event would have to be entered in at random.
 *
 * No order, event or dead letter is ever deleted: their last number is their count.
 */
export const SCHEMA = `
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
    stored_at          INTEGER NOT NULL,
    redriven_at        INTEGER,
    redriven_partition INTEGER,
    redriven_offset    INTEGER,
    redriven_outcome   TEXT
  ) STRICT;
  CREATE INDEX dead_letters_held ON dead_letters (partition, "offset") WHERE redriven_at IS NULL;
  CREATE INDEX dead_letters_redriven ON dead_letters (id) WHERE redriven_at IS NOT NULL;
`;

const VIEW = 'order_id, version, status, last_event';

export const prepareStatements = (db: DatabaseSync) => ({
  order: db.prepare('SELECT version, status, body FROM orders WHERE order_id = ?'),
  views: prepareLookup(db, (ids) => `SELECT ${VIEW}, NULL AS since FROM orders WHERE order_id IN (${ids})`),
  waitingView: db.prepare(`SELECT ${VIEW}, since FROM waiting WHERE order_id = ?`),
  updateOrder: db.prepare(
    'UPDATE orders SET version = ?, status = ?, last_event = coalesce(?, last_event) WHERE order_id = ?',
  ),
  putOrder: db.prepare(
    `INSERT INTO orders (order_id, version, status, customer_id, ordered_at, last_event, body)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status,
       customer_id = excluded.customer_id, ordered_at = excluded.ordered_at, body = excluded.body,
       last_event = coalesce(excluded.last_event, last_event)`,
  ),
  lastArrival: db.prepare('SELECT coalesce(max(arrival), 0) AS last FROM orders'),
  idsBetween: db.prepare('SELECT order_id FROM orders WHERE arrival > ? AND arrival <= ? ORDER BY arrival'),

  putWaiting: db.prepare(
    `INSERT INTO waiting (order_id, version, status, since, last_event) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status,
       last_event = coalesce(excluded.last_event, last_event)`,
  ),
  anyWaiting: db.prepare('SELECT 1 FROM waiting LIMIT 1'),
  deleteWaiting: db.prepare('DELETE FROM waiting WHERE order_id = ?'),
  oldestWaiting: db.prepare('SELECT order_id, version, status, since FROM waiting ORDER BY since, rowid LIMIT ?'),

  lastSequence: db.prepare('SELECT coalesce(max(sequence), 0) AS last FROM events'),
  putEvent: db.prepare(
    `INSERT INTO events (sequence, order_id, previous, created, version, status, timestamp, partition, "offset", outcome)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  extendOrder: db.prepare('UPDATE orders SET last_event = ? WHERE order_id = ?'),
  extendWaiting: db.prepare('UPDATE waiting SET last_event = ? WHERE order_id = ?'),
  eventsAfter: db.prepare('SELECT * FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?'),
  lastEvent: db.prepare(
    `SELECT last_event FROM orders WHERE order_id = ?1
     UNION ALL SELECT last_event FROM waiting WHERE order_id = ?1`,
  ),
  event: db.prepare('SELECT * FROM events WHERE sequence = ?'),

  seen: db.prepare('SELECT 1 FROM seen_events WHERE event_id = ?'),
  putSeen: db.prepare('INSERT INTO seen_events (event_id) VALUES (?) ON CONFLICT DO NOTHING'),

  position: db.prepare('SELECT next FROM positions WHERE topic = ? AND partition = ? AND topic_id = ?'),
  positions: db.prepare('SELECT partition, topic_id, next FROM positions WHERE topic = ? ORDER BY partition'),
  putPosition: db.prepare('INSERT OR REPLACE INTO positions (topic, partition, topic_id, next) VALUES (?, ?, ?, ?)'),

  putDeadLetter: db.prepare(
    `INSERT INTO dead_letters (topic, partition, "offset", timestamp, key, value, headers, reason, stored_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  deadLetters: {
    all: db.prepare('SELECT * FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?'),
    held: db.prepare('SELECT * FROM dead_letters WHERE id > ? AND redriven_at IS NULL ORDER BY id LIMIT ?'),
    redriven: db.prepare('SELECT * FROM dead_letters WHERE id > ? AND redriven_at IS NOT NULL ORDER BY id LIMIT ?'),
  },
  // A topic that was made again has the same offsets again: the letter that is held is meant, and of two the later one.
  setRedriven: db.prepare(
    `UPDATE dead_letters SET redriven_at = ?, redriven_partition = ?, redriven_offset = ?, redriven_outcome = ?
     WHERE id = (SELECT max(id) FROM dead_letters
                 WHERE partition = ? AND "offset" = ? AND topic = ? AND redriven_at IS NULL)`,
  ),

  counts: db.prepare(
    `SELECT (SELECT max(arrival) FROM orders) AS orders, (SELECT count(*) FROM waiting) AS waiting,
            (SELECT max(id) FROM dead_letters) AS deadLetters,
            (SELECT count(*) FROM dead_letters WHERE redriven_at IS NOT NULL) AS redriven`,
  ),
});
