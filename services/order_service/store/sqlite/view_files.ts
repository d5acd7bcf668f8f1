import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Logger } from 'pino';
import { reasonOf } from '#service_common/reason_of.ts';
import { lockFile, tryLockFile } from '#service_common/sqlite/file_lock.ts';
import { StoreError } from '#service_common/store_error.ts';
import { VIEW_FILE, VIEW_FORMAT } from './sqlite_consumer_db.ts';

/**
 * The files of the view, and how one that was built beside it takes its place. Whoever works on the view shares a lock;
 * who has that lock alone knows that nobody does, and may exchange the files.
 */

/** A view that was built whole from the log and waits to be taken up; it only ever gets this name when it is complete. */
export const REBUILT_FILE = 'order_view.rebuilt.sqlite';
/** The view that one took the place of. */
export const FORMER_FILE = `${VIEW_FILE}.before-rebuild`;

/**
 * Says, until it is called off, that this process works on the view, as others may too; first takes up a rebuilt view,
 * unless others do. A start never fails for the rebuilt view's sake.
 * @returns what calls it off; the end of the process does too
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

/** The lock for exchanging the files; null while a process works on the view. @throws StoreError */
export const lockView = (directory: string): (() => void) | null => tryLockFile({ directory, name: VIEW_FILE });

/** Why a file that nobody has open cannot be the view, or null where it can. Reads all of it. */
export const problemOfView = (path: string): string | null => {
  if (existsSync(`${path}-wal`)) return 'it has a write-ahead log, so another program has opened it';
  try {
    // Makes no files beside it.
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
 * Puts the rebuilt view into the place of the present one, which is kept. Wherever a crash ends it, the rebuilt file is
 * there still, so that the next start goes on with it.
 * @throws StoreError `STORE_REFUSED`, or what the file system says, the present view being in its place again
 */
export const exchangeView = (directory: string): void => {
  const [live, rebuilt, former] = [VIEW_FILE, REBUILT_FILE, FORMER_FILE].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  if (existsSync(live)) {
    bringInLog(live);
    for (const suffix of ['', '-wal']) rmSync(former + suffix, { force: true });
    renameSync(live, former);
    // It is there only where it could not be brought in.
    if (existsSync(`${live}-wal`)) renameSync(`${live}-wal`, `${former}-wal`);
  }
  // SQLite would apply a log that was left behind to whatever file has the name.
  for (const suffix of ['-wal', '-shm']) rmSync(live + suffix, { force: true });
  try {
    renameSync(rebuilt, live);
  } catch (error) {
    for (const suffix of ['', '-wal']) if (existsSync(former + suffix)) renameSync(former + suffix, live + suffix);
    throw error;
  }
  syncDirectory(directory);
};

/** Ends the write-ahead log that a killed process has left. A view that is damaged keeps it. */
const bringInLog = (path: string): void => {
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

/** So that a power cut does not undo the names. Windows does it by itself, and knows no such call. */
export const syncDirectory = (directory: string): void => {
  if (process.platform === 'win32') return;
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};
