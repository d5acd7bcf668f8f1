import type { DatabaseSync } from 'node:sqlite';
import { reasonOf } from '#service_common/reason_of.ts';
import { type DatabaseFile, openDatabase } from '#service_common/sqlite/open_database.ts';
import { BrokerError } from '#kafka_common/broker.ts';

/**
 * How long a statement waits for a lock that another process holds, in milliseconds: the event loop stands still
 * meanwhile, and transactions here take about one.
 */
const BUSY_TIMEOUT_MS = 250;

/** Opens one of the broker's files, which several processes share. @throws StoreError `STORE_REFUSED` */
export const openSharedFile = (file: DatabaseFile): DatabaseSync => {
  const db = openDatabase(file);
  db.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS}`);
  return db;
};

/** Wraps a function over a file so that what SQLite throws (disk full, I/O error, locked, closed) is `UNAVAILABLE`. */
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
