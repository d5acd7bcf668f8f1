import type { DatabaseSync } from 'node:sqlite';
import { prepareLookup } from '#service_common/sqlite/lookup.ts';
import { prepareCommits } from './commits.ts';

const VIEW = 'order_id, version, status, last_event';

export type WriterStatements = ReturnType<typeof prepareWriterStatements>;

/** What applying events asks and changes. */
export const prepareWriterStatements = (db: DatabaseSync) => ({
  views: prepareLookup(db, (ids) => `SELECT ${VIEW}, NULL AS since FROM orders WHERE order_id IN (${ids})`),
  anyPending: db.prepare('SELECT 1 FROM waiting LIMIT 1'),
  pendingView: db.prepare(`SELECT ${VIEW}, since FROM waiting WHERE order_id = ?`),
  commits: prepareCommits(db),
  seen: db.prepare('SELECT 1 FROM seen_events WHERE event_id = ?'),

  positions: db.prepare('SELECT partition, topic_id, next FROM positions WHERE topic = ? ORDER BY partition'),
  position: db.prepare('SELECT next FROM positions WHERE topic = ? AND partition = ? AND topic_id = ?'),
  putPosition: db.prepare('INSERT OR REPLACE INTO positions (topic, partition, topic_id, next) VALUES (?, ?, ?, ?)'),

  lastSequence: db.prepare('SELECT coalesce(max(sequence), 0) AS last FROM events'),
  putEvent: db.prepare(
    `INSERT INTO events (sequence, order_id, previous, created, version, status, timestamp, partition, "offset", outcome)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  putSeen: db.prepare('INSERT INTO seen_events (event_id) VALUES (?) ON CONFLICT DO NOTHING'),

  putOrder: db.prepare(
    `INSERT INTO orders (order_id, version, status, customer_id, ordered_at, last_event, body)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status,
       customer_id = excluded.customer_id, ordered_at = excluded.ordered_at, body = excluded.body,
       last_event = coalesce(excluded.last_event, last_event)`,
  ),
  updateOrder: db.prepare(
    'UPDATE orders SET version = ?, status = ?, last_event = coalesce(?, last_event) WHERE order_id = ?',
  ),
  setLastEventOfOrder: db.prepare('UPDATE orders SET last_event = ? WHERE order_id = ?'),

  putPending: db.prepare(
    `INSERT INTO waiting (order_id, version, status, since, last_event) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status,
       last_event = coalesce(excluded.last_event, last_event)`,
  ),
  deletePending: db.prepare('DELETE FROM waiting WHERE order_id = ?'),
  setLastEventOfPending: db.prepare('UPDATE waiting SET last_event = ? WHERE order_id = ?'),

  putDeadLetter: db.prepare(
    `INSERT INTO dead_letters (topic, partition, "offset", timestamp, key, value, headers, reason, is_whole, stored_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  // A topic that was made again has the same offsets again. The redrive is of the held letter; of two, of the later one.
  setRedriven: db.prepare(
    `UPDATE dead_letters SET redriven_at = ?, redriven_partition = ?, redriven_offset = ?, redriven_outcome = ?
     WHERE id = (SELECT max(id) FROM dead_letters
                 WHERE partition = ? AND "offset" = ? AND topic = ? AND redriven_at IS NULL)`,
  ),
});
