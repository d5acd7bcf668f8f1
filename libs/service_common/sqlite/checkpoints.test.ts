import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { startCheckpoints } from './checkpoints.ts';
import { openDatabase } from './open_database.ts';

const PAGE_BYTES = 4_096;
const NOTE = 'x'.repeat(PAGE_BYTES);

const openStore = (t: TestContext, name: string, directory = tempDir()) => {
  const path = join(directory, name);
  const db = openDatabase({
    directory,
    name,
    applicationId: 1,
    schemaVersion: 1,
    schema: 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)',
    checkpointedElsewhere: true,
  });
  t.after(() => db.close());
  return { path, db, filePages: () => pagesOf(path), logPages: () => pagesOf(`${path}-wal`) };
};

const pagesOf = (file: string): number => statSync(file).size / PAGE_BYTES;

const write = (db: DatabaseSync, notes: number): void => {
  const insert = db.prepare('INSERT INTO notes (text) VALUES (?)');
  for (let n = 0; n < notes; n++) insert.run(NOTE);
};

const startHere = (t: TestContext, ...[paths, options]: Parameters<typeof startCheckpoints>): void => {
  const checkpoints = startCheckpoints(paths, { intervalMs: 5, ...options });
  t.after(() => checkpoints.stop());
};

describe('checkpoints', () => {
  test('move commits into each file, without its own connection', async (t) => {
    const stores = ['a.sqlite', 'b.sqlite'].map((name) => openStore(t, name));
    for (const { db } of stores) write(db, 100);
    for (const { filePages } of stores) assert.ok(filePages() < 100);
    startHere(
      t,
      stores.map(({ path }) => path),
    );
    for (const { filePages } of stores) await eventually(() => assert.ok(filePages() > 100));
  });

  test('start the log again from its beginning under writes without a pause', async (t) => {
    const { path, db, filePages, logPages } = openStore(t, 'store.sqlite');
    startHere(t, [path], { longLogPages: 100 });
    let written = 0;
    // Otherwise each page of the file is appended to the log, which is then at least as long as the file.
    while (filePages() < 2 * logPages() || filePages() < 1_000) {
      assert.ok(written < 50_000, `${logPages()} pages in the log`);
      write(db, 10);
      written += 10;
      await othersTurn();
    }
    assert.equal(db.prepare('SELECT count(*) AS n FROM notes').get()?.['n'], written);
  });

  test('are made again after a lock or a transaction was in the way', async (t) => {
    const { path, db, filePages } = openStore(t, 'store.sqlite');
    startHere(t, [path], { longLogPages: 1 });
    write(db, 10);
    await eventually(() => assert.ok(filePages() > 10));
    db.exec('BEGIN IMMEDIATE');
    write(db, 100);
    // Longer than a checkpoint waits for a writer.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    db.exec('COMMIT');
    await eventually(() => assert.ok(filePages() > 110));
  });
});
