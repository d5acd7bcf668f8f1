import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createSqliteConsumerDb } from './sqlite_consumer_db.ts';
import { VIEW_FILE } from './tables.ts';
import { anAppliedBatch, anOrder, applyNext } from '#tests/support/events.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { claimView, exchangeView, FORMER_FILE, lockView, problemOfView, REBUILT_FILE } from './view_files.ts';

/** Puts a view with this order into a folder, under the given name. */
const putView = async (directory: string, name: string, orderId: string): Promise<void> => {
  const elsewhere = tempDir();
  await writeView(elsewhere, orderId, (db) => db.close());
  renameSync(join(elsewhere, VIEW_FILE), join(directory, name));
};

const writeView = async (
  directory: string,
  orderId: string,
  end: (db: ReturnType<typeof createSqliteConsumerDb>) => unknown,
): Promise<void> => {
  const db = createSqliteConsumerDb({ directory });
  const view = { orderId, version: 1, status: 'new', pendingSince: null } as const;
  await applyNext(db, anAppliedBatch({ views: [view], orders: [anOrder(orderId)] }));
  await end(db);
};

/** Puts a view into a folder as a killed process leaves it: the order is only in the write-ahead log. */
const putKilledView = async (directory: string, orderId: string): Promise<void> => {
  const elsewhere = tempDir();
  await writeView(elsewhere, orderId, (db) => {
    for (const suffix of ['', '-wal'])
      copyFileSync(join(elsewhere, VIEW_FILE + suffix), join(directory, VIEW_FILE + suffix));
    return db.close();
  });
};

const ordersIn = (path: string): string[] => {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db
      .prepare('SELECT order_id FROM orders')
      .all()
      .map((row) => String(row['order_id']));
  } finally {
    db.close();
  }
};

const claim = (directory: string) => {
  const { logger, lines } = createTestLog();
  const release = claimView(directory, logger);
  return { release, said: lines.map(({ level, msg }) => `${level} ${msg}`), lines };
};

describe('a rebuilt view', () => {
  test('takes the place of the present one at a start, and the present one is kept', async () => {
    const directory = tempDir();
    await putView(directory, VIEW_FILE, 'ORD-1');
    await putView(directory, REBUILT_FILE, 'ORD-2');
    const { release, said } = claim(directory);
    assert.deepEqual(said, ['info took up the rebuilt view']);
    assert.deepEqual(ordersIn(join(directory, VIEW_FILE)), ['ORD-2']);
    assert.deepEqual(ordersIn(join(directory, FORMER_FILE)), ['ORD-1']);
    assert.ok(!existsSync(join(directory, REBUILT_FILE)));
    release();
  });

  test('leaves the write-ahead log of a killed service to the former view', async () => {
    const directory = tempDir();
    await putKilledView(directory, 'ORD-1');
    await putView(directory, REBUILT_FILE, 'ORD-2');
    claim(directory).release();
    assert.deepEqual(ordersIn(join(directory, VIEW_FILE)), ['ORD-2']);
    assert.deepEqual(ordersIn(join(directory, FORMER_FILE)), ['ORD-1']);
  });

  test('takes the place of a damaged view and its log', async () => {
    const directory = tempDir();
    await putKilledView(directory, 'ORD-1');
    writeFileSync(join(directory, VIEW_FILE), 'no database, and long enough to be looked at as one '.repeat(100));
    writeFileSync(join(directory, `${VIEW_FILE}-wal`), 'no log');
    await putView(directory, REBUILT_FILE, 'ORD-2');
    claim(directory).release();
    assert.ok(!existsSync(join(directory, `${VIEW_FILE}-wal`)));
    assert.deepEqual(ordersIn(join(directory, VIEW_FILE)), ['ORD-2']);
    assert.match(readFileSync(join(directory, FORMER_FILE), 'utf8'), /^no database/);
  });

  test('replaces the former view of an earlier rebuild', async () => {
    const directory = tempDir();
    for (const orderId of ['ORD-1', 'ORD-2', 'ORD-3']) {
      await putView(directory, REBUILT_FILE, orderId);
      claim(directory).release();
    }
    assert.deepEqual(ordersIn(join(directory, VIEW_FILE)), ['ORD-3']);
    assert.deepEqual(ordersIn(join(directory, FORMER_FILE)), ['ORD-2']);
  });

  test('whose exchange crashed between the two renames is taken up at the next start', async () => {
    const directory = tempDir();
    await putView(directory, FORMER_FILE, 'ORD-1');
    await putView(directory, REBUILT_FILE, 'ORD-2');
    writeFileSync(join(directory, `${VIEW_FILE}-wal`), 'left behind');
    claim(directory).release();
    assert.deepEqual(ordersIn(join(directory, VIEW_FILE)), ['ORD-2']);
    assert.deepEqual(ordersIn(join(directory, FORMER_FILE)), ['ORD-1']);
  });

  test('waits while another process uses the present view, and is taken up after that', async () => {
    const directory = tempDir();
    await putView(directory, VIEW_FILE, 'ORD-1');
    const first = claim(directory);
    await putView(directory, REBUILT_FILE, 'ORD-2');
    const second = claim(directory);
    assert.deepEqual(second.said, ['warn a rebuilt view waits until no other process works on the present one']);
    first.release();
    second.release();
    assert.deepEqual(ordersIn(join(directory, VIEW_FILE)), ['ORD-1']);
    claim(directory).release();
    assert.deepEqual(ordersIn(join(directory, VIEW_FILE)), ['ORD-2']);
  });

  const unusable: readonly (readonly [what: string, put: (path: string) => void, reason: RegExp])[] = [
    ['is not a database', (path) => writeFileSync(path, 'x'.repeat(5_000)), /not a database/],
    ['is empty', (path) => writeFileSync(path, ''), /not a view of this program/],
    ['belongs to another program', (path) => writeDatabase(path, 1, 1), /not a view of this program/],
    [
      'has tables of another version',
      (path) => writeDatabase(path, 0x4f45_5657, 1),
      /tables of version 1, this program has 3/,
    ],
    ['is cut short', (path) => truncateSync(path, 8_192), /malformed|damaged/],
    ['has a log', (path) => writeFileSync(`${path}-wal`, ''), /write-ahead log/],
  ];
  for (const [what, put, reason] of unusable) {
    test(`that ${what} is left alone, the reason is logged, and the present view stays`, async () => {
      const directory = tempDir();
      const path = join(directory, REBUILT_FILE);
      await putView(directory, VIEW_FILE, 'ORD-1');
      await putView(directory, REBUILT_FILE, 'ORD-2');
      put(path);
      const before = readFileSync(path);
      const { release, said, lines } = claim(directory);
      assert.deepEqual(said, ['error the rebuilt view cannot be used and was left alone']);
      assert.match(String(lines[0]?.['reason']), reason);
      assert.deepEqual(ordersIn(join(directory, VIEW_FILE)), ['ORD-1']);
      assert.deepEqual(readFileSync(path), before);
      release();
    });
  }

  test('does not take the place of a database that belongs to another program', async () => {
    const directory = tempDir();
    writeDatabase(join(directory, VIEW_FILE), 1, 1);
    await putView(directory, REBUILT_FILE, 'ORD-2');
    assert.throws(() => exchangeView(directory), /database of another program; it was left as it is/);
    assert.ok(!existsSync(join(directory, FORMER_FILE)));
    assert.equal(problemOfView(join(directory, REBUILT_FILE)), null);
  });
});

describe('claimView', () => {
  test('without a rebuilt view, creates only the lock', () => {
    const directory = join(tempDir(), 'new');
    const { release, said } = claim(directory);
    assert.deepEqual([said, readdirSync(directory)], [[], [`${VIEW_FILE}.lock`]]);
    release();
  });

  test('lets several services use the view, and no process exchange it meanwhile', () => {
    const directory = tempDir();
    const [first, second] = [claim(directory), claim(directory)];
    assert.equal(lockView(directory), null);
    first.release();
    assert.equal(lockView(directory), null);
    second.release();
    const unlock = lockView(directory);
    assert.throws(() => claim(directory), /is in use by another process/);
    unlock?.();
    claim(directory).release();
  });
});

const writeDatabase = (path: string, applicationId: number, version: number): void => {
  const elsewhere = join(tempDir(), 'other.sqlite');
  const db = new DatabaseSync(elsewhere);
  db.exec(`CREATE TABLE t (a); PRAGMA application_id=${applicationId}; PRAGMA user_version=${version}`);
  db.close();
  copyFileSync(elsewhere, path);
};
