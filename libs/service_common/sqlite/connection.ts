import { DatabaseSync } from 'node:sqlite';

/**
 * Opens a database and prepares it. Closes it again if that fails.
 * @param timeout how long to wait for locks of others, in ms
 */
export const connect = (path: string, timeout: number, prepare: (db: DatabaseSync) => void): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout });
  try {
    prepare(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

/** Reads a pragma that holds a number. */
export const pragma = (db: DatabaseSync, name: string): number => Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
