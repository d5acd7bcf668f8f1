import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { tempDir } from '#tests/support/temp_dir.ts';
import { type DatabaseFile, openDatabase } from './open_database.ts';

const NAME = 'store.sqlite';
const OUR_ID = 0x6f_65_74_74;

const fileIn = (directory: string, changes: Partial<DatabaseFile> = {}): DatabaseFile => ({
  directory,
  name: NAME,
  applicationId: OUR_ID,
  schemaVersion: 3,
  schema: 'CREATE TABLE notes (text TEXT NOT NULL)',
  ...changes,
});

const notesIn = (db: DatabaseSync): unknown[] =>
  db
    .prepare('SELECT text FROM notes')
    .all()
    .map((row) => row['text']);

const writeDatabase = (directory: string, sql: string): void => {
  const db = new DatabaseSync(join(directory, NAME));
  db.exec(sql);
  db.close();
};

/** Writes our own file with tables of a higher version. */
const writeNewer = (directory: string): void => openDatabase(fileIn(directory, { schemaVersion: 4 })).close();

/** Leaves the file as a killed process does: its log is not yet part of the file. */
const writeNewerAndKilled = (directory: string): void => {
  const elsewhere = tempDir();
  const db = openDatabase(fileIn(elsewhere, { schemaVersion: 4 }));
  for (const name of [NAME, `${NAME}-wal`]) copyFileSync(join(elsewhere, name), join(directory, name));
  db.close();
};

const contentsOf = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { withFileTypes: true }).map((entry) => [
      entry.name,
      entry.isFile() ? readFileSync(join(directory, entry.name), 'latin1') : 'a folder',
    ]),
  );

const ANOTHER =
  /is a database of another program\. Move it away or set DATA_DIR to another folder; it was left as it is/;
const UNUSABLE = /Move the file away or set DATA_DIR to another folder; it was left as it is/;
const NEWER =
  /was written by a newer version of this program \(tables version 4, this one knows 3\)\. Run that version, or set DATA_DIR/;

const REFUSED: readonly (readonly [string, (directory: string) => void, RegExp])[] = [
  ['a text', (directory) => writeFileSync(join(directory, NAME), 'dear diary\n'.repeat(1_000)), UNUSABLE],
  ['a short text', (directory) => writeFileSync(join(directory, NAME), 'diary'), UNUSABLE],
  ['a folder', (directory) => mkdirSync(join(directory, NAME)), UNUSABLE],
  [
    'cut off',
    (directory) => {
      openDatabase(fileIn(directory)).close();
      truncateSync(join(directory, NAME), 200);
    },
    UNUSABLE,
  ],
  ["another program's", (directory) => writeDatabase(directory, 'CREATE TABLE t (a)'), ANOTHER],
  ["another program's with an id", (directory) => writeDatabase(directory, 'PRAGMA application_id=1'), ANOTHER],
  ["another program's, empty so far", (directory) => writeDatabase(directory, 'PRAGMA user_version=3'), ANOTHER],
  [
    "another program's in WAL mode",
    (directory) => writeDatabase(directory, 'PRAGMA journal_mode=WAL; CREATE TABLE t (a)'),
    ANOTHER,
  ],
  ['of a newer version', writeNewer, NEWER],
  [
    'of an older version',
    (directory) => openDatabase(fileIn(directory, { schemaVersion: 2 })).close(),
    /was written by an older version of this program \(tables version 2, this one has 3\)\. Set DATA_DIR/,
  ],
];

describe('a store file', () => {
  for (const [what, write, reason] of REFUSED) {
    test(`that is ${what} is refused with its path and what to do, and nothing in the folder is changed`, () => {
      const directory = tempDir();
      write(directory);
      const before = contentsOf(directory);
      assert.throws(
        () => openDatabase(fileIn(directory)),
        (error: Error & { code?: string }) => {
          assert.deepEqual([error.name, error.code], ['StoreError', 'STORE_REFUSED']);
          assert.ok(error.message.includes(join(directory, NAME)), error.message);
          assert.match(error.message, reason);
          return true;
        },
      );
      assert.deepEqual(contentsOf(directory), before);
    });
  }

  test('of a newer version whose process was killed is refused, and none of its files is changed', () => {
    const directory = tempDir();
    writeNewerAndKilled(directory);
    const before = contentsOf(directory);
    assert.throws(() => openDatabase(fileIn(directory)), { code: 'STORE_REFUSED', message: NEWER });
    const { [`${NAME}-shm`]: _index, ...after } = contentsOf(directory);
    assert.deepEqual(after, before);
  });
});

describe('a data folder', () => {
  test('that is a file is refused with what to do', () => {
    const directory = join(tempDir(), 'data');
    writeFileSync(directory, '');
    for (const folder of [directory, join(directory, 'deeper')]) {
      assert.throws(() => openDatabase(fileIn(folder)), {
        name: 'StoreError',
        code: 'STORE_REFUSED',
        message: /cannot use .*store\.sqlite as a store: .*Set DATA_DIR to a folder this user may write to\.$/,
      });
    }
  });

  const cannotTest =
    process.platform === 'win32' ? 'no such modes' : process.getuid?.() === 0 && 'root may write to any';
  test('that may not be written to is refused with what to do', { skip: cannotTest }, () => {
    const directory = tempDir();
    chmodSync(directory, 0o500);
    assert.throws(() => openDatabase(fileIn(directory)), {
      code: 'STORE_REFUSED',
      message: /Set DATA_DIR to a folder this user may write to\.$/,
    });
  });

  test('that is missing is created, with its parents, whatever its name', () => {
    const directory = join(tempDir(), 'a b', 'é#100%25?x=1&y');
    openDatabase(fileIn(directory)).close();
    openDatabase(fileIn(directory)).close();
    assert.deepEqual(readdirSync(directory), [NAME]);
  });
});

describe('an opened database', () => {
  test('syncs every commit to disk, in WAL mode', () => {
    const db = openDatabase(fileIn(tempDir()));
    const FULL = 2;
    assert.equal(db.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
    assert.equal(db.prepare('PRAGMA synchronous').get()?.['synchronous'], FULL);
    db.close();
  });

  test('keeps its content when it is opened again', () => {
    const directory = tempDir();
    for (const held of [[], ['a'], ['a', 'a']]) {
      const db = openDatabase(fileIn(directory, { replacesOlder: true }));
      assert.deepEqual(notesIn(db), held);
      db.exec("INSERT INTO notes VALUES ('a')");
      db.close();
    }
  });

  test('of an older version is emptied if its content can be rebuilt', () => {
    const directory = tempDir();
    const older = openDatabase(
      fileIn(directory, { schemaVersion: 2, schema: 'CREATE TABLE notes (other); CREATE TABLE more (x)' }),
    );
    older.exec('INSERT INTO notes VALUES (1)');
    older.close();
    const db = openDatabase(fileIn(directory, { replacesOlder: true }));
    assert.deepEqual(notesIn(db), []);
    assert.throws(() => db.exec('SELECT * FROM more'), /no such table/);
    db.close();
  });

  test('starts from an empty file, which a process leaves that was killed while it created the file', () => {
    const directory = tempDir();
    writeFileSync(join(directory, NAME), '');
    const db = openDatabase(fileIn(directory));
    assert.deepEqual(notesIn(db), []);
    db.close();
  });

  test('that two create at once is opened by both', async (t) => {
    const turn = new Int32Array(new SharedArrayBuffer(4));
    const directories = Array.from({ length: 60 }, tempDir);
    const other = new Worker(new URL('../../../tests/support/database_opener.ts', import.meta.url), {
      workerData: { turn, files: directories.map((directory) => fileIn(directory)) },
    });
    t.after(() => other.terminate());
    const failure = once(other, 'error').then(([error]) => Promise.reject(error as Error));
    const ended = once(other, 'exit');
    while (Atomics.load(turn, 0) === 0) await Promise.race([setImmediate(), failure]);
    for (const [index, directory] of directories.entries()) {
      Atomics.store(turn, 0, index + 2);
      openDatabase(fileIn(directory)).close();
    }
    await Promise.race([ended, failure]);
  });
});
