import type { DatabaseSync } from 'node:sqlite';
import { reasonOf } from '#service_common/reason_of.ts';
import { type DatabaseFile, openDatabase } from '#service_common/sqlite/open_database.ts';
import { BrokerError } from '#kafka_common/broker.ts';

/**
 * Opens one of the broker's files, which several processes share.
 * @param lockWaitMs how long a statement waits for a lock that another process holds; the event loop stands still
 * meanwhile
 * @throws StoreError `STORE_REFUSED`
 */
export const openSharedFile = (file: DatabaseFile, lockWaitMs: number): DatabaseSync => {
  const db = openDatabase(file);
  db.exec(`PRAGMA busy_timeout=${lockWaitMs}`);
  return db;
};

/** Wraps a function over a file, so that what SQLite throws (disk full, I/O error, locked, closed) is `UNAVAILABLE`. */
export const orUnavailable =
  <A extends unknown[], R>(work: (...args: A) => R): ((...args: A) => R) =>
  (...args) => {
    try {
      return work(...args);
    } catch (error) {
      if (error instanceof BrokerError) throw error;
      throw new BrokerError('UNAVAILABLE', `the embedded broker's file failed: ${reasonOf(error)}`, error);
    }
  };
