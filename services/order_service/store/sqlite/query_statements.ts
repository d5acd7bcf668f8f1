import type { DatabaseSync } from 'node:sqlite';
import { prepareLookup } from '#service_common/sqlite/lookup.ts';
import { prepareCommits } from './commits.ts';

export type QueryStatements = ReturnType<typeof prepareQueryStatements>;

/** What reads ask. */
export const prepareQueryStatements = (db: DatabaseSync) => ({
  viewId: db.prepare('SELECT view_id FROM identity'),
  commits: prepareCommits(db),
  known: prepareLookup(db, (ids) => `SELECT order_id FROM orders WHERE order_id IN (${ids})`),
  order: db.prepare('SELECT version, status, body FROM orders WHERE order_id = ?'),
  lastArrival: db.prepare('SELECT coalesce(max(arrival), 0) AS last FROM orders'),
  idsBetween: db.prepare('SELECT order_id FROM orders WHERE arrival > ? AND arrival <= ? ORDER BY arrival'),
  oldestPending: db.prepare('SELECT order_id, version, status, since FROM waiting ORDER BY since, rowid LIMIT ?'),

  lastSequence: db.prepare('SELECT coalesce(max(sequence), 0) AS last FROM events'),
  eventsAfter: db.prepare('SELECT * FROM events WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?'),
  event: db.prepare('SELECT * FROM events WHERE sequence = ?'),
  lastEvent: db.prepare(
    `SELECT last_event FROM orders WHERE order_id = ?1
     UNION ALL SELECT last_event FROM waiting WHERE order_id = ?1`,
  ),

  deadLetters: {
    all: db.prepare('SELECT * FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?'),
    held: db.prepare('SELECT * FROM dead_letters WHERE id > ? AND redriven_at IS NULL ORDER BY id LIMIT ?'),
    redriven: db.prepare('SELECT * FROM dead_letters WHERE id > ? AND redriven_at IS NOT NULL ORDER BY id LIMIT ?'),
  },

  lastDeadLetter: db.prepare('SELECT coalesce(max(id), 0) AS last FROM dead_letters'),

  counts: db.prepare(
    `SELECT (SELECT max(arrival) FROM orders) AS orders, (SELECT count(*) FROM waiting) AS pending,
            (SELECT max(id) FROM dead_letters) AS deadLetters,
            (SELECT count(*) FROM dead_letters WHERE redriven_at IS NOT NULL) AS redriven`,
  ),
});
