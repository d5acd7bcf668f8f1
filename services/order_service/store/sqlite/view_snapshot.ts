import { DatabaseSync } from 'node:sqlite';
import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { ViewSnapshot } from '#order_service/store/view_rebuild.ts';
import { VIEW_FORMAT } from './tables.ts';

/**
 * Reads a file in one transaction, and changes nothing. While the snapshot is open, SQLite cannot start
 * the write-ahead log again, so it grows.
 * @throws StoreError `STORE_UNAVAILABLE`
 */
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
