import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';

export interface DatabaseFile {
  /** The folder, made where it is missing. */
  readonly directory: string;
  readonly name: string;
  /** Marks the file as ours (SQLite's `application_id`), so that another program's database is never touched. */
  readonly applicationId: number;
  /** The version of the tables. A file with a higher one comes from a newer version of this program. */
  readonly schemaVersion: number;
  /** Creates the tables of `schemaVersion` in an empty file. */
  readonly schema: string;
  /** A file with a lower version is emptied, as all it holds can be made again; it is refused otherwise. */
  readonly replacesOlder?: boolean;
  /** Checkpoints are made elsewhere (`checkpoints.ts`); this connection makes one only where the log has grown far too long. */
  readonly checkpointedElsewhere?: boolean;
}

/**
 * Opens a SQLite file in WAL mode with every commit synced to disk (`synchronous=FULL`), creating it where it is
 * missing. Commits survive a killed process and, as far as the disk keeps its word, a power cut.
 * @throws StoreError `STORE_REFUSED` with the reason; an existing file is then as it was
 */
export const openDatabase = (file: DatabaseFile): DatabaseSync => {
  const deadline = performance.now() + OPENING_MS;
  for (;;) {
    try {
      return openOnce(file);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPENING_RETRY_MS);
  }
};

/** For the process before this one to end. */
const LOCK_MS = 1_000;

/** 64 MB. */
const LAST_RESORT_PAGES = 16_384;

/** While another process makes the same file, it can look foreign, broken or locked for a moment. */
const OPENING_MS = 500;
const OPENING_RETRY_MS = 20;

const openOnce = (file: DatabaseFile): DatabaseSync => {
  const path = join(file.directory, file.name);
  try {
    mkdirSync(file.directory, { recursive: true });
    if (existsSync(path)) refuseForeignFile(path, file);
    return openWith(path, 5_000, (db) => {
      db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;');
      if (file.checkpointedElsewhere) db.exec(`PRAGMA wal_autocheckpoint=${LAST_RESORT_PAGES}`);
      inTransaction(db, () => {
        const version = pragma(db, 'user_version');
        if (version < file.schemaVersion) {
          if (version > 0) dropTables(db);
          db.exec(file.schema);
          db.exec(`PRAGMA application_id=${file.applicationId}; PRAGMA user_version=${file.schemaVersion};`);
        }
      });
    });
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw refusal(path, error, 'Set DATA_DIR to a folder this user may write to.');
  }
};

const dropTables = (db: DatabaseSync): void => {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  for (const { name } of tables) db.exec(`DROP TABLE "${String(name)}"`);
};

/** `alone`: nobody else has the lock meanwhile; `shared`: only others who share it have. */
export type LockMode = 'alone' | 'shared';

type LockedFile = Pick<DatabaseFile, 'directory' | 'name'>;

/**
 * Locks a store for its process: held beside the file itself, so that a thread of this process may open that too.
 * @returns what gives it free again; the end of the process does too
 * @throws StoreError `STORE_REFUSED` where another process stands against it
 */
export const lockFile = (file: LockedFile, mode: LockMode = 'alone'): (() => void) => {
  try {
    return takeLock(file, mode, LOCK_MS);
  } catch (error) {
    throw refusal(join(file.directory, file.name), error, 'Set DATA_DIR to a folder this user may write to.');
  }
};

/** As `lockFile`, but at once, and null where another process stands against it. */
export const tryLockFile = (file: LockedFile, mode: LockMode = 'alone'): (() => void) | null => {
  try {
    return takeLock(file, mode, 0);
  } catch (error) {
    if (isLocked(error)) return null;
    throw refusal(join(file.directory, file.name), error, 'Set DATA_DIR to a folder this user may write to.');
  }
};

const takeLock = ({ directory, name }: LockedFile, mode: LockMode, timeout: number): (() => void) => {
  mkdirSync(directory, { recursive: true });
  // An empty database of which a transaction is begun that never ends: SQLite's locks work everywhere.
  const lock = openWith(join(directory, `${name}.lock`), timeout, (db) => {
    db.exec('PRAGMA journal_mode=OFF');
    db.exec(mode === 'alone' ? 'BEGIN EXCLUSIVE' : 'BEGIN; SELECT count(*) FROM sqlite_schema');
  });
  return () => lock.close();
};

/** Opens a database and prepares it, or closes it again where that fails. `timeout` is for the locks of others, in ms. */
const openWith = (path: string, timeout: number, prepare: (db: DatabaseSync) => void): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout });
  try {
    prepare(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

const refuseForeignFile = (path: string, file: DatabaseFile): void => {
  let applicationId: number;
  let schemaVersion: number;
  let tables: number;
  try {
    // Even a reader makes files beside one in WAL mode, unless it takes the file for unchangeable.
    const location = existsSync(`${path}-wal`) ? path : new URL('?immutable=1', pathToFileURL(path));
    const db = new DatabaseSync(location, { readOnly: true, timeout: 5_000 });
    try {
      applicationId = pragma(db, 'application_id');
      schemaVersion = pragma(db, 'user_version');
      tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']);
    } finally {
      db.close();
    }
  } catch (error) {
    throw refusal(path, error, 'Move the file away or set DATA_DIR to another folder; it was left as it is.');
  }
  // An empty file is what a process leaves that was killed before its first transaction.
  if (tables === 0 && applicationId === 0 && schemaVersion === 0) return;
  if (applicationId !== file.applicationId) {
    throw new StoreError(
      'STORE_REFUSED',
      `${path} is a database of another program. Move it away or set DATA_DIR to another folder; it was left as it is.`,
    );
  }
  if (schemaVersion < file.schemaVersion && !file.replacesOlder) {
    throw new StoreError(
      'STORE_REFUSED',
      `${path} was written by an older version of this program (tables version ${schemaVersion}, this one has ${file.schemaVersion}). Set DATA_DIR to another folder; it was left as it is.`,
    );
  }
  if (schemaVersion > file.schemaVersion) {
    throw new StoreError(
      'STORE_REFUSED',
      `${path} was written by a newer version of this program (tables version ${schemaVersion}, this one knows ${file.schemaVersion}). Run that version, or set DATA_DIR to another folder; it was left as it is.`,
    );
  }
};

/** Runs `work` in one write transaction. @throws what `work` or SQLite throws, nothing being applied */
export const inTransaction = <T>(db: DatabaseSync, work: () => T): T => {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk can have rolled back already.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
};

/** Runs a transaction at run time, when the file was good at the start: what goes wrong now may pass. @throws StoreError `STORE_UNAVAILABLE`, `STORE_IN_DOUBT`, or that of `work` */
export const commitTransaction = (db: DatabaseSync, work: () => void): void => {
  try {
    inTransaction(db, work);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const code = isInputOutputError(error) ? 'STORE_IN_DOUBT' : 'STORE_UNAVAILABLE';
    throw new StoreError(code, `the store did not take a transaction: ${reasonOf(error)}`, error);
  }
};

/** Keys in one statement: with more of them, the time of each hardly shrinks. */
const KEYS = 16;

/**
 * Prepares a look-up of any number of keys.
 * @param query its text, from that of the keys: `SELECT ... WHERE key IN (${keys})`
 * @returns gives the rows of all keys, in no order
 */
export const prepareLookup = (
  db: DatabaseSync,
  query: (keys: string) => string,
): ((keys: readonly string[]) => Record<string, SQLOutputValue>[]) => {
  const statement = db.prepare(query(Array.from({ length: KEYS }, () => '?').join(', ')));
  return (keys) => {
    const rows: Record<string, SQLOutputValue>[] = [];
    for (let n = 0; n < keys.length; n += KEYS) {
      // Nothing equals null.
      const some = Array.from({ length: KEYS }, (_, i) => keys[n + i] ?? null);
      rows.push(...statement.all(...some));
    }
    return rows;
  };
};

const pragma = (db: DatabaseSync, name: string): number => Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);

const refusal = (path: string, error: unknown, advice: string): StoreError => {
  const reason = reasonOf(error);
  const text = isLocked(error)
    ? `${path} is in use by another process. End that one, or set DATA_DIR to another folder.`
    : `cannot use ${path} as a store: ${reason}. ${advice}`;
  return new StoreError('STORE_REFUSED', text, error);
};

const isLocked = (error: unknown): boolean => reasonOf(error).includes('database is locked');

/** SQLite's primary result code for a failed read, write or sync; the low byte of the extended code. */
const SQLITE_IOERR = 10;

export const isInputOutputError = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_IOERR;
