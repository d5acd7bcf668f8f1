import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type Database, openDatabase } from '#service_common/postgres/database.ts';
import { readDatabaseAddress } from '#service_common/postgres/database_address.ts';
import { migrate } from '#service_common/postgres/migrations.ts';
import { createProxy } from '#tests/faults/proxy.ts';
import { postgresOfFile } from '#tests/postgres/postgres_for_tests.ts';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';

const postgres = await postgresOfFile();

const DEADLINE_MS = 1_000;

const open = (t: TestContext, url: string, connections = 2): Database => {
  const address = readDatabaseAddress(url, '');
  const database = openDatabase({ address, applicationName: 'test', connections, deadlineMs: DEADLINE_MS });
  t.after(database.close);
  return database;
};

const withTable = async (t: TestContext): Promise<{ url: string; database: Database }> => {
  const url = await postgres.newDatabase();
  const database = open(t, url);
  await database.query('CREATE TABLE t (id bigint PRIMARY KEY)');
  return { url, database };
};

const openThroughProxy = async (t: TestContext, url: string) => {
  const proxy = await createProxy({ targetPort: Number(new URL(url).port) });
  t.after(proxy.close);
  const through = new URL(url);
  through.port = String(proxy.port);
  return { proxy, database: open(t, through.href) };
};

const ids = async (database: Database) => (await database.query('SELECT id FROM t ORDER BY id')).map(({ id }) => id);

test('a transaction is applied whole, and its numbers are numbers', postgres.options, async (t) => {
  const { database } = await withTable(t);
  const result = await database.transaction(async (query) => {
    await Promise.all([1, 2].map((id) => query('INSERT INTO t VALUES ($1)', [id])));
    return 'done';
  });
  assert.deepEqual([result, await ids(database)], ['done', [1, 2]]);
});

test('a transaction that fails leaves nothing behind, and its connection works on', postgres.options, async (t) => {
  const { url } = await withTable(t);
  const database = open(t, url, 1);
  const twice = database.transaction(async (query) => {
    await query('INSERT INTO t VALUES (1)');
    await query('INSERT INTO t VALUES (1)');
  });
  await assert.rejects(twice, {
    name: 'StoreError',
    code: 'STORE_UNAVAILABLE',
    message: /did not do its work: duplicate/,
  });
  await assert.rejects(
    database.transaction(async (query) => {
      await query('INSERT INTO t VALUES (1)');
      throw new Error('no');
    }),
    { name: 'StoreError', code: 'STORE_UNAVAILABLE', message: /no$/ },
  );
  assert.deepEqual(await ids(database), []);
});

test('two transactions that wait for each other both succeed in the end', postgres.options, async (t) => {
  const { database } = await withTable(t);
  await database.query('INSERT INTO t VALUES (1), (2)');
  let attempts = 0;
  const lock = (first: number, second: number) =>
    database.transaction(async (query) => {
      attempts += 1;
      await query('SELECT 1 FROM t WHERE id = $1 FOR UPDATE', [first]);
      if (attempts <= 2) await eventually(() => assert.equal(attempts, 2));
      await query('SELECT 1 FROM t WHERE id = $1 FOR UPDATE', [second]);
    });
  await Promise.all([lock(1, 2), lock(2, 1)]);
  assert.equal(attempts, 3);
});

for (const [lost, direction, isApplied] of [
  ['answer to its COMMIT', 'to_client', true],
  ['COMMIT itself', 'to_broker', false],
] as const) {
  test(`a transaction that loses the ${lost} is looked up`, postgres.options, async (t) => {
    const { url, database: direct } = await withTable(t);
    const { proxy, database } = await openThroughProxy(t, url);
    const committing = database.transaction(async (query) => {
      await query('INSERT INTO t VALUES (7)');
      proxy.trouble = { kind: 'black_hole', direction };
    });
    const settled = committing.then(
      () => 'applied',
      (error: { code: string }) => error.code,
    );
    await eventually(() => assert.ok(proxy.lostBytes > 0));
    proxy.trouble = { kind: 'none' };
    assert.equal(await settled, isApplied ? 'applied' : 'STORE_UNAVAILABLE');
    assert.deepEqual(await ids(direct), isApplied ? [7] : []);
  });
}

test('a transaction that nobody can say anything of is in doubt', postgres.options, async (t) => {
  const { url } = await withTable(t);
  const { proxy, database } = await openThroughProxy(t, url);
  const committing = database.transaction(async (query) => {
    await query('INSERT INTO t VALUES (7)');
    proxy.trouble = { kind: 'black_hole', direction: 'to_client' };
  });
  await assert.rejects(committing, { name: 'StoreError', code: 'STORE_IN_DOUBT' });
});

test('a session that the server ends costs its own statement only', postgres.options, async (t) => {
  const { url, database } = await withTable(t);
  const other = open(t, url);
  await assert.rejects(
    database.transaction(async (query) => {
      const [row] = await query('SELECT pg_backend_pid() AS pid');
      await other.query('SELECT pg_terminate_backend($1)', [row?.['pid']]);
      await query('INSERT INTO t VALUES (1)');
    }),
    { code: 'STORE_UNAVAILABLE' },
  );
  await database.transaction((query) => query('INSERT INTO t VALUES (2)'));
  assert.deepEqual(await ids(database), [2]);
});

const folderOf = (files: Readonly<Record<string, string>>): string => {
  const folder = join(tempDir(), 'migrations');
  mkdirSync(folder);
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(folder, name), sql);
  return folder;
};

const FIRST = { '0001_begin.sql': 'CREATE TABLE s.a (x int); CREATE TABLE s.b (x int);' };
const SECOND = { ...FIRST, '0002_more.sql': 'ALTER TABLE s.a ADD COLUMN y int;' };

test('migrations are applied once, in order, by whichever instance comes first', postgres.options, async (t) => {
  const database = open(t, await postgres.newDatabase(), 4);
  const first = folderOf(FIRST);
  const runs = await Promise.all([1, 2, 3].map(() => migrate(database, { schema: 's', folder: first })));
  assert.deepEqual(
    runs.toSorted((a, b) => b.length - a.length),
    [[1], [], []],
  );
  assert.deepEqual(await migrate(database, { schema: 's', folder: folderOf(SECOND) }), [2]);
  await database.query('INSERT INTO s.a VALUES (1, 2)');
  // The program before works on beside it.
  assert.deepEqual(await migrate(database, { schema: 's', folder: first }), []);
});

test('a database that an older program cannot work with is refused, and unchanged', postgres.options, async (t) => {
  const database = open(t, await postgres.newDatabase());
  await migrate(database, {
    schema: 's',
    folder: folderOf({ ...FIRST, '0002_break.sql': '-- needs program: 2\nDROP TABLE s.b;' }),
  });
  const older = folderOf({ ...FIRST, '0001_other.sql': 'CREATE TABLE s.c (x int);' });
  await assert.rejects(migrate(database, { schema: 's', folder: older }), {
    name: 'StoreError',
    code: 'STORE_REFUSED',
    message: /need program version 2, and this one is version 1\. Start the newer program again\.$/,
  });
  assert.deepEqual(await database.query("SELECT 1 FROM pg_tables WHERE schemaname = 's' AND tablename = 'c'"), []);
});

test('a migration that fails leaves the database as it was', postgres.options, async (t) => {
  const database = open(t, await postgres.newDatabase());
  const folder = folderOf({ ...FIRST, '0002_wrong.sql': 'ALTER TABLE s.nothing ADD COLUMN y int;' });
  await assert.rejects(migrate(database, { schema: 's', folder }), { code: 'STORE_UNAVAILABLE' });
  assert.deepEqual(await migrate(database, { schema: 's', folder: folderOf(FIRST) }), [1]);
});
