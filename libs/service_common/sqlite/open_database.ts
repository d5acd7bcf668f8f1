import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '#service_common/store_error.ts';
import { connect, pragma } from './connection.ts';
import { LOCKED_MS, migrationsFrom, refuseForeignFile } from './foreign_file.ts';
import { refusal } from './sqlite_errors.ts';
import { inTransaction } from './transactions.ts';

export interface DatabaseFile {
  /** The folder. It is created if it is missing. */
  readonly directory: string;
  readonly name: string;
  /** Marks the file as ours (SQLite's `application_id`), so that we never touch another program's database. */
  readonly applicationId: number;
  /** The version of the tables. A file with a higher one comes from a newer version of this program. */
  readonly schemaVersion: number;
  /** Creates the tables of `schemaVersion` in an empty file. */
  readonly schema: string;
  /**
   * The statements that bring the tables from a version to the next one. A file of such a version is taken over: its
   * migrations run in one transaction.
   */
  readonly migrations?: Readonly<Record<number, string>>;
  /** A file with a lower version is emptied, because its content can be rebuilt. Otherwise the file is refused. */
  readonly replacesOlder?: boolean;
  /** How long each attempt to open waits for the locks of other processes, in ms. */
  readonly openingMs?: number | undefined;
  /** Another thread makes the checkpoints (`checkpoints.ts`). This connection makes one only if the log is far too long. */
  readonly checkpointedElsewhere?: boolean;
}

/** While another process creates the same file, the file can look foreign, broken or locked for a moment. */
const OPENING_MS = 500;
const OPENING_RETRY_MS = 20;

/** 64 MB. */
const LAST_RESORT_PAGES = 16_384;

/**
 * Opens a SQLite file in WAL mode and syncs every commit to disk (`synchronous=FULL`). Creates the file if it is
 * missing. Commits survive a killed process and, if the disk keeps its promise, a power cut.
 * @throws StoreError `STORE_REFUSED` with the reason; an existing file is unchanged
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

const openOnce = (file: DatabaseFile): DatabaseSync => {
  const path = join(file.directory, file.name);
  try {
    mkdirSync(file.directory, { recursive: true });
    if (existsSync(path)) refuseForeignFile(path, file);
    return connect(path, file.openingMs ?? LOCKED_MS, (db) => {
      db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;');
      if (file.checkpointedElsewhere) db.exec(`PRAGMA wal_autocheckpoint=${LAST_RESORT_PAGES}`);
      // A file that has its tables needs no write lock: another process may hold that for long.
      if (pragma(db, 'user_version') < file.schemaVersion) inTransaction(db, () => createTables(db, file));
    });
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw refusal(path, error, 'Set DATA_DIR to a folder this user may write to.');
  }
};

const createTables = (db: DatabaseSync, file: DatabaseFile): void => {
  const { applicationId, schemaVersion } = file;
  const version = pragma(db, 'user_version');
  if (version >= schemaVersion) return;
  const migrations = migrationsFrom(version, file);
  if (migrations === null) {
    if (version > 0) dropTables(db);
    db.exec(file.schema);
  } else migrations.forEach((migration) => db.exec(migration));
  db.exec(`PRAGMA application_id=${applicationId}; PRAGMA user_version=${schemaVersion};`);
};

const dropTables = (db: DatabaseSync): void => {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  for (const { name } of tables) db.exec(`DROP TABLE "${String(name)}"`);
};
