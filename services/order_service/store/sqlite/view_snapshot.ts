import { DatabaseSync } from 'node:sqlite';
import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { PartitionPosition } from '#order_service/consumer_db.ts';
import { VIEW_FORMAT } from './sqlite_consumer_db.ts';

/** An order, or a status that waits for one, as a view has it. */
export interface SnapshotOrder {
  readonly orderId: string;
  readonly version: number;
  readonly status: string;
  /** The stored JSON; null where only statuses have come. */
  readonly body: string | null;
}

/** A view as its file holds it at one moment, also while a service goes on writing to it. */
export interface ViewSnapshot {
  readonly positions: (topic: string) => readonly PartitionPosition[];
  /** By their ids, in the order of their characters. */
  readonly orders: () => Iterable<SnapshotOrder>;
  readonly close: () => void;
}

/** Changes nothing. Held open, it keeps the write-ahead log from being begun anew. @throws StoreError */
export const openViewSnapshot = (path: string): ViewSnapshot => {
  let db: DatabaseSync;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  } catch (error) {
    throw unreadable(path, reasonOf(error), error);
  }
  try {
    db.exec('BEGIN');
    for (const [name, expected] of [
      ['application_id', VIEW_FORMAT.applicationId],
      ['user_version', VIEW_FORMAT.schemaVersion],
    ] as const) {
      const found = db.prepare(`PRAGMA ${name}`).get()?.[name];
      if (found !== expected) throw new Error(`its ${name} is ${String(found)} and not ${expected}`);
    }
  } catch (error) {
    db.close();
    throw unreadable(path, reasonOf(error), error);
  }

  return {
    positions: (topic) =>
      db
        .prepare('SELECT partition, topic_id, next FROM positions WHERE topic = ?')
        .all(topic)
        .map((row) => ({
          partition: Number(row['partition']),
          topicId: String(row['topic_id']),
          next: Number(row['next']),
        })),
    orders: function* () {
      const rows = db.prepare(
        `SELECT order_id, version, status, body FROM orders
         UNION ALL SELECT order_id, version, status, NULL FROM waiting ORDER BY order_id`,
      );
      for (const row of rows.iterate())
        yield {
          orderId: String(row['order_id']),
          version: Number(row['version']),
          status: String(row['status']),
          body: row['body'] as string | null,
        };
    },
    close: () => db.close(),
  };
};

const unreadable = (path: string, reason: string, cause: unknown): StoreError =>
  new StoreError('STORE_UNAVAILABLE', `the view ${path} cannot be read: ${reason}`, cause);
