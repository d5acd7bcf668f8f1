import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Order, OrderStatus } from '#kafka_common/models.ts';
import { commitTransaction, openDatabase, prepareLookup } from '#service_common/sqlite.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { AppliedBatch, ConsumerDb, DeadLetter, LoadedViews, OrderView, PositionStep } from './consumer_db.ts';

/**
 * Order ids are random, so every look-up and insert by id touches another page. The table that is searched by id is
 * therefore kept small, and the bodies are appended to another one in order of arrival, which is also the order in
 * which ids are listed. No order is ever deleted, nor is a dead letter: their last number is their count.
 */
const SCHEMA = `
  CREATE TABLE orders (
    arrival  INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    version  INTEGER NOT NULL,
    status   TEXT NOT NULL
  ) STRICT;
  CREATE TABLE order_bodies (
    arrival INTEGER PRIMARY KEY,
    body    TEXT NOT NULL
  ) STRICT;
  CREATE TABLE waiting (
    order_id TEXT PRIMARY KEY,
    version  INTEGER NOT NULL,
    status   TEXT NOT NULL,
    since    INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX waiting_by_age ON waiting (since);
  CREATE TABLE seen_events (event_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE positions (
    topic     TEXT NOT NULL,
    partition INTEGER NOT NULL,
    topic_id  TEXT NOT NULL,
    next      INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE dead_letters (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    topic     TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset"  INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    key       BLOB,
    value     BLOB,
    headers   TEXT NOT NULL,
    reason    TEXT NOT NULL,
    stored_at INTEGER NOT NULL
  ) STRICT;
`;

/** Ids in one page of `orderIds`: what a listing holds in memory, and how long it keeps others waiting (about 1 ms). */
const PAGE_SIZE = 1_000;

type Row = Record<string, SQLOutputValue>;

export const VIEW_FILE = 'order_view.sqlite';

/** @throws StoreError `STORE_REFUSED` */
export const createSqliteConsumerDb = ({ directory }: { directory: string }): ConsumerDb => {
  const db = openDatabase({
    directory,
    name: VIEW_FILE,
    applicationId: 0x4f45_5657,
    schemaVersion: 1,
    schema: SCHEMA,
    checkpointedElsewhere: true,
  });
  const sql = prepareStatements(db);

  /** Mostly none does, and nobody need look for it. */
  const anyWaits = (): boolean => sql.anyWaiting.get() !== undefined;

  const viewsOf = (orderIds: readonly string[]): Map<string, OrderView> => {
    const rows = sql.views(orderIds);
    const views = new Map(rows.map((row) => [row['order_id'] as string, toView(row)]));
    if (!anyWaits()) return views;
    for (const orderId of orderIds) {
      const row = views.has(orderId) ? undefined : sql.waitingView.get(orderId);
      if (row) views.set(orderId, toView(row));
    }
    return views;
  };

  const putViews = (views: readonly OrderView[], orders: readonly Order[]): void => {
    const bodies = new Map(orders.map((order) => [order.orderId, order]));
    const anyDid = anyWaits();
    for (const { orderId, version, status, waitingSince } of views) {
      const body = bodies.get(orderId);
      if (waitingSince !== null) {
        sql.putWaiting.run(orderId, version, status, waitingSince);
      } else if (body === undefined) {
        sql.updateOrder.run(version, status, orderId);
      } else {
        const arrival = sql.putOrder.get(orderId, version, status)?.['arrival'] as number;
        sql.putBody.run(arrival, JSON.stringify(body));
        if (anyDid) sql.deleteWaiting.run(orderId);
      }
    }
  };

  const moveOn = ({ topic, partition, topicId, from, next }: PositionStep): void => {
    const stored = sql.position.get(topic, partition, topicId)?.['next'] ?? null;
    if (stored !== from) throw new StoreError('STORE_OVERTAKEN', overtaken(partition, from, stored));
    sql.putPosition.run(topic, partition, topicId, next);
  };

  const setAside = (letter: DeadLetter): void => {
    const { topic, partition, offset, timestamp, key, value, reason, storedAt } = letter;
    sql.putDeadLetter.run(topic, partition, offset, timestamp, key, value, headersToText(letter), reason, storedAt);
  };

  return {
    load: async (orderIds, unversionedEventIds): Promise<LoadedViews> =>
      reading(() => ({
        views: viewsOf(orderIds),
        seenEventIds: new Set(unversionedEventIds.filter((id) => sql.seen.get(id) !== undefined)),
      })),

    applyBatch: async ({ positions, views, orders, unversionedEventIds, deadLetters }: AppliedBatch) =>
      commitTransaction(db, () => {
        positions.forEach(moveOn);
        putViews(views, orders);
        unversionedEventIds.forEach((id) => sql.putSeen.run(id));
        deadLetters.forEach(setAside);
      }),

    positions: async (topic) =>
      reading(() =>
        sql.positions.all(topic).map((row) => ({
          partition: row['partition'] as number,
          topicId: row['topic_id'] as string,
          next: row['next'] as number,
        })),
      ),

    order: async (orderId) =>
      reading(() => {
        const row = sql.order.get(orderId);
        return row ? { ...(JSON.parse(row['body'] as string) as Order), status: row['status'] as OrderStatus } : null;
      }),

    orderIds: async function* () {
      const last = reading(() => sql.lastArrival.get()?.['last'] as number);
      for (let after = 0; after < last; after += PAGE_SIZE) {
        const page = reading(() => sql.idsBetween.all(after, Math.min(after + PAGE_SIZE, last)));
        yield page.map((row) => row['order_id'] as string);
        await othersTurn();
      }
    },

    waiting: async (limit) => reading(() => sql.oldestWaiting.all(limit).map(toView)),

    deadLetters: async (after, limit) => reading(() => sql.deadLettersAfter.all(after, limit).map(deadLetter)),

    counts: async () =>
      reading(() => {
        const { orders, waiting, deadLetters } = sql.counts.get() as Record<string, number>;
        return { orders: orders ?? 0, waiting: waiting ?? 0, deadLetters: deadLetters ?? 0 };
      }),

    close: async () => db.close(),
  };
};

const prepareStatements = (db: DatabaseSync) => ({
  order: db.prepare('SELECT orders.status, body FROM orders JOIN order_bodies USING (arrival) WHERE order_id = ?'),
  views: prepareLookup(
    db,
    (ids) => `SELECT order_id, version, status, NULL AS since FROM orders WHERE order_id IN (${ids})`,
  ),
  waitingView: db.prepare('SELECT order_id, version, status, since FROM waiting WHERE order_id = ?'),
  updateOrder: db.prepare('UPDATE orders SET version = ?, status = ? WHERE order_id = ?'),
  putOrder: db.prepare(
    `INSERT INTO orders (order_id, version, status) VALUES (?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status RETURNING arrival`,
  ),
  putBody: db.prepare('INSERT OR REPLACE INTO order_bodies (arrival, body) VALUES (?, ?)'),
  lastArrival: db.prepare('SELECT coalesce(max(arrival), 0) AS last FROM orders'),
  idsBetween: db.prepare('SELECT order_id FROM orders WHERE arrival > ? AND arrival <= ? ORDER BY arrival'),

  putWaiting: db.prepare(
    `INSERT INTO waiting (order_id, version, status, since) VALUES (?, ?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status`,
  ),
  anyWaiting: db.prepare('SELECT 1 FROM waiting LIMIT 1'),
  deleteWaiting: db.prepare('DELETE FROM waiting WHERE order_id = ?'),
  oldestWaiting: db.prepare('SELECT order_id, version, status, since FROM waiting ORDER BY since, rowid LIMIT ?'),

  seen: db.prepare('SELECT 1 FROM seen_events WHERE event_id = ?'),
  putSeen: db.prepare('INSERT INTO seen_events (event_id) VALUES (?) ON CONFLICT DO NOTHING'),

  position: db.prepare('SELECT next FROM positions WHERE topic = ? AND partition = ? AND topic_id = ?'),
  positions: db.prepare('SELECT partition, topic_id, next FROM positions WHERE topic = ? ORDER BY partition'),
  putPosition: db.prepare('INSERT OR REPLACE INTO positions (topic, partition, topic_id, next) VALUES (?, ?, ?, ?)'),

  putDeadLetter: db.prepare(
    `INSERT INTO dead_letters (topic, partition, "offset", timestamp, key, value, headers, reason, stored_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  deadLettersAfter: db.prepare('SELECT * FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?'),

  counts: db.prepare(
    `SELECT (SELECT max(arrival) FROM orders) AS orders, (SELECT count(*) FROM waiting) AS waiting,
            (SELECT max(id) FROM dead_letters) AS deadLetters`,
  ),
});

const toView = (row: Row): OrderView => ({
  orderId: row['order_id'] as string,
  version: row['version'] as number,
  status: row['status'] as OrderStatus,
  waitingSince: row['since'] as number | null,
});

const deadLetter = (row: Row): DeadLetter & { id: number } => ({
  id: row['id'] as number,
  topic: row['topic'] as string,
  partition: row['partition'] as number,
  offset: row['offset'] as number,
  timestamp: row['timestamp'] as number,
  key: bytes(row['key']),
  value: bytes(row['value']),
  headers: headersFromText(row['headers'] as string),
  reason: row['reason'] as string,
  storedAt: row['stored_at'] as number,
});

const bytes = (blob: SQLOutputValue | undefined): Buffer | null =>
  blob instanceof Uint8Array ? Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength) : null;

type Headers = DeadLetter['headers'];

const headersToText = ({ headers }: DeadLetter): string =>
  JSON.stringify(headers.map(([name, value]) => [name, value?.toString('base64') ?? null]));

const headersFromText = (text: string): Headers =>
  (JSON.parse(text) as [string, string | null][]).map(([name, value]) => [
    name,
    value === null ? null : Buffer.from(value, 'base64'),
  ]);

const overtaken = (partition: number, from: number | null, stored: SQLOutputValue): string =>
  `partition ${partition} of the view stands at ${String(stored)} and no longer at ${from}: another process applies it too`;

const reading = <T>(query: () => T): T => {
  try {
    return query();
  } catch (error) {
    throw new StoreError('STORE_UNAVAILABLE', `the store could not be read: ${String(error)}`, error);
  }
};
