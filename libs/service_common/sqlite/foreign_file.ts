import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError } from '#service_common/store_error.ts';
import { pragma } from './connection.ts';
import { refusal } from './sqlite_errors.ts';

/** What an existing file must match. */
interface Expected {
  readonly applicationId: number;
  readonly schemaVersion: number;
  readonly migrations?: Readonly<Record<number, string>>;
  readonly replacesOlder?: boolean;
  readonly openingMs?: number | undefined;
}

/** How long to wait for the locks of other processes, unless the file says something else. */
export const LOCKED_MS = 5_000;

interface Marks {
  readonly applicationId: number;
  readonly schemaVersion: number;
  readonly tables: number;
}

/**
 * Refuses an existing file that is not a database, belongs to another program or has tables of another version. Does
 * not change the file or its folder.
 * @throws StoreError `STORE_REFUSED`
 */
export const refuseForeignFile = (path: string, expected: Expected): void => {
  const marks = readMarks(path, expected.openingMs ?? LOCKED_MS);
  // A process that was killed before its first transaction leaves an empty file.
  if (marks.tables === 0 && marks.applicationId === 0 && marks.schemaVersion === 0) return;
  const reason = reasonAgainst(marks, expected);
  if (reason !== null) throw new StoreError('STORE_REFUSED', `${path} ${reason}; it was left as it is.`);
};

/** The migrations that bring tables of a version to the expected one, in order; null if there is none for a step. */
export const migrationsFrom = (
  version: number,
  { schemaVersion, migrations = {} }: Pick<Expected, 'schemaVersion' | 'migrations'>,
): readonly string[] | null => {
  const steps = Array.from({ length: schemaVersion - version }, (_, n) => migrations[version + n]);
  return steps.every((step) => step !== undefined) ? steps : null;
};

const readMarks = (path: string, timeout: number): Marks => {
  try {
    // In WAL mode even a reader creates files beside the database, unless it opens the database as immutable.
    const location = existsSync(`${path}-wal`) ? path : new URL('?immutable=1', pathToFileURL(path));
    const db = new DatabaseSync(location, { readOnly: true, timeout });
    try {
      return {
        applicationId: pragma(db, 'application_id'),
        schemaVersion: pragma(db, 'user_version'),
        tables: Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']),
      };
    } finally {
      db.close();
    }
  } catch (error) {
    throw refusal(path, error, 'Move the file away or set DATA_DIR to another folder; it was left as it is.');
  }
};

/** Why the file cannot be ours, and what to do. Null if it can. */
const reasonAgainst = ({ applicationId, schemaVersion }: Marks, expected: Expected): string | null => {
  const { applicationId: ourId, schemaVersion: ourVersion, replacesOlder = false } = expected;
  if (applicationId !== ourId) {
    return 'is a database of another program. Move it away or set DATA_DIR to another folder';
  }
  if (schemaVersion < ourVersion && !replacesOlder && migrationsFrom(schemaVersion, expected) === null) {
    return `was written by an older version of this program (tables version ${schemaVersion}, this one has ${ourVersion}). Set DATA_DIR to another folder`;
  }
  if (schemaVersion > ourVersion) {
    return `was written by a newer version of this program (tables version ${schemaVersion}, this one knows ${ourVersion}). Run that version, or set DATA_DIR to another folder`;
  }
  return null;
};
