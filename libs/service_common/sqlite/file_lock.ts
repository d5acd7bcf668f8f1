import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from './connection.ts';
import { isLocked, refusal } from './sqlite_errors.ts';

/** `alone` excludes all other locks. `shared` excludes only `alone`. */
export type LockMode = 'alone' | 'shared';

interface LockedFile {
  /** The folder. It is created if it is missing. */
  readonly directory: string;
  readonly name: string;
}

/** Time for the previous process to end. */
const LOCK_MS = 1_000;

const ADVICE = 'Set DATA_DIR to a folder this user may write to.';

/**
 * Locks a store for its process. The lock is a file beside the store, so that a thread of this process can still open
 * the store. The end of the process releases the lock.
 * @returns a function that releases the lock
 * @throws StoreError `STORE_REFUSED` if another process holds a lock that excludes this one
 */
export const lockFile = (file: LockedFile, mode: LockMode = 'alone'): (() => void) => {
  try {
    return takeLock(file, mode, LOCK_MS);
  } catch (error) {
    throw refusal(join(file.directory, file.name), error, ADVICE);
  }
};

/**
 * Locks a store like `lockFile`, but does not wait.
 * @returns a function that releases the lock; null if another process holds a lock that excludes this one
 * @throws StoreError `STORE_REFUSED` for any other reason
 */
export const tryLockFile = (file: LockedFile, mode: LockMode = 'alone'): (() => void) | null => {
  try {
    return takeLock(file, mode, 0);
  } catch (error) {
    if (isLocked(error)) return null;
    throw refusal(join(file.directory, file.name), error, ADVICE);
  }
};

const takeLock = ({ directory, name }: LockedFile, mode: LockMode, timeout: number): (() => void) => {
  mkdirSync(directory, { recursive: true });
  // An empty database with a transaction that never ends: the locks of SQLite work on every platform.
  const lock = connect(join(directory, `${name}.lock`), timeout, (db) => {
    db.exec('PRAGMA journal_mode=OFF');
    db.exec(mode === 'alone' ? 'BEGIN EXCLUSIVE' : 'BEGIN; SELECT count(*) FROM sqlite_schema');
  });
  return () => lock.close();
};
