import type { DatabaseSync } from 'node:sqlite';

/** Prepares SQLite's count of the commits of other connections: another number after each of them. */
export const prepareCommits = (db: DatabaseSync): (() => number) => {
  const statement = db.prepare('PRAGMA data_version');
  return () => statement.get()?.['data_version'] as number;
};
