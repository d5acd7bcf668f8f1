import type { DatabaseSync } from 'node:sqlite';
import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';
import { isInputOutputError } from './sqlite_errors.ts';

/** Runs `work` in one write transaction. @throws the error of `work` or of SQLite; then nothing is applied */
export const inTransaction = <T>(db: DatabaseSync, work: () => T): T => {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite can have rolled back already, for example on a full disk.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
};

/**
 * Runs `work` in one write transaction of a store that was good at the start, so that a failure may pass.
 * @throws StoreError `STORE_UNAVAILABLE`, `STORE_IN_DOUBT`, or the StoreError of `work`
 */
export const commitTransaction = <T>(db: DatabaseSync, work: () => T): T => {
  try {
    return inTransaction(db, work);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const code = isInputOutputError(error) ? 'STORE_IN_DOUBT' : 'STORE_UNAVAILABLE';
    throw new StoreError(code, `the store did not take a transaction: ${reasonOf(error)}`, error);
  }
};
