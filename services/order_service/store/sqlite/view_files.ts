import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Logger } from 'pino';
import { reasonOf } from '#service_common/reason_of.ts';
import { lockFile, tryLockFile } from '#service_common/sqlite/file_lock.ts';
import { StoreError } from '#service_common/store_error.ts';
import { VIEW_FILE, VIEW_FORMAT } from './tables.ts';

/**
 * The files of the view, and how a rebuilt view takes the place of the present one. Services that use the view share a
 * lock. A process that holds the lock alone may exchange the files, because no service uses them.
 */

/** A view that was rebuilt from the log and is not in use yet. A file gets this name only when it is complete. */
export const REBUILT_FILE = 'order_view.rebuilt.sqlite';
/** The view before the last rebuild. */
export const FORMER_FILE = `${VIEW_FILE}.before-rebuild`;

/**
 * Locks the view for a service; other services can share the lock. If a rebuilt view is there and no other service uses
 * the present one, the rebuilt view takes its place first. A rebuilt view that cannot be used never fails a start.
 * @returns releases the lock; the end of the process does too
 * @throws StoreError `STORE_REFUSED` while the files are being exchanged
 */
export const claimView = (directory: string, logger: Logger): (() => void) => {
  if (existsSync(join(directory, REBUILT_FILE))) takeUp(directory, logger);
  return lockFile({ directory, name: VIEW_FILE }, 'shared');
};

const takeUp = (directory: string, logger: Logger): void => {
  const file = join(directory, REBUILT_FILE);
  try {
    const unlock = lockView(directory);
    if (unlock === null) {
      logger.warn({ file }, 'a rebuilt view waits until no other process works on the present one');
      return;
    }
    try {
      const problem = problemOfView(file);
      if (problem === null) {
        exchangeView(directory);
        logger.info({ former: join(directory, FORMER_FILE) }, 'took up the rebuilt view');
      } else {
        logger.error({ file, reason: problem }, 'the rebuilt view cannot be used and was left alone');
      }
    } finally {
      unlock();
    }
  } catch (error) {
    logger.error({ file, reason: reasonOf(error) }, 'the rebuilt view could not be taken up');
  }
};

/** Takes the lock for exchanging the files; null while a service uses the view. @throws StoreError */
export const lockView = (directory: string): (() => void) | null => tryLockFile({ directory, name: VIEW_FILE });

/** Why a file that no process has open cannot be the view; null if it can. Reads the whole file. */
export const problemOfView = (path: string): string | null => {
  if (existsSync(`${path}-wal`)) return 'it has a write-ahead log, so another program has opened it';
  try {
    // SQLite makes no other files beside one that it takes for immutable.
    const db = new DatabaseSync(new URL('?immutable=1', pathToFileURL(path)), { readOnly: true });
    try {
      return problemIn(db);
    } finally {
      db.close();
    }
  } catch (error) {
    return reasonOf(error);
  }
};

const problemIn = (db: DatabaseSync): string | null => {
  const pragma = (name: string): unknown => db.prepare(`PRAGMA ${name}`).get()?.[name];
  if (pragma('application_id') !== VIEW_FORMAT.applicationId) return 'it is not a view of this program';
  if (pragma('user_version') !== VIEW_FORMAT.schemaVersion) {
    return `it has tables of version ${String(pragma('user_version'))}, this program has ${VIEW_FORMAT.schemaVersion}`;
  }
  const check = pragma('quick_check');
  return check === 'ok' ? null : `it is damaged: ${String(check)}`;
};

/**
 * Puts the rebuilt view in the place of the present one, which is kept as the former view. After a crash at any point,
 * the rebuilt file is still there, and the next start goes on with it.
 * @returns whether there was a view to keep
 * @throws StoreError `STORE_REFUSED`, or an error of the file system; the present view is then in its place again
 */
export const exchangeView = (directory: string): boolean => {
  const live = join(directory, VIEW_FILE);
  const former = join(directory, FORMER_FILE);
  const wasThere = existsSync(live);
  if (wasThere) {
    checkpoint(live);
    for (const suffix of ['', '-wal']) rmSync(former + suffix, { force: true });
    renameSync(live, former);
    // The checkpoint removes the log. If it failed, the log belongs to the former view.
    if (existsSync(`${live}-wal`)) renameSync(`${live}-wal`, `${former}-wal`);
  }
  // SQLite would apply a log that was left behind to the new file of that name.
  for (const suffix of ['-wal', '-shm']) rmSync(live + suffix, { force: true });
  try {
    renameSync(join(directory, REBUILT_FILE), live);
  } catch (error) {
    for (const suffix of ['', '-wal']) if (existsSync(former + suffix)) renameSync(former + suffix, live + suffix);
    throw error;
  }
  syncDirectory(directory);
  return wasThere;
};

/** Moves the write-ahead log that a killed process has left into the file. A damaged view keeps its log. */
const checkpoint = (path: string): void => {
  try {
    const db = new DatabaseSync(path, { timeout: 5_000 });
    try {
      const applicationId = db.prepare('PRAGMA application_id').get()?.['application_id'];
      if (applicationId !== VIEW_FORMAT.applicationId && applicationId !== 0)
        throw new StoreError('STORE_REFUSED', `${path} is a database of another program; it was left as it is`);
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof StoreError) throw error;
  }
};

/** Makes renames in a folder survive a power cut. Windows does that by itself, and has no such call. */
export const syncDirectory = (directory: string): void => {
  if (process.platform === 'win32') return;
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};
