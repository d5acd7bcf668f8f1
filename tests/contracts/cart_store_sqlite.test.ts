import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import { createSqliteCartStore } from '#cart_service/store/sqlite/sqlite_cart_store.ts';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { batch, cartStoreContract, order, row } from './cart_store_contract.ts';

cartStoreContract('SQLite', () => {
  const directory = tempDir();
  return async () => createSqliteCartStore({ directory });
});

/** Writes a store as the version before left it. */
const writeVersion1 = (directory: string): void => {
  const db = new DatabaseSync(join(directory, 'cart.sqlite'));
  db.exec(`
    PRAGMA journal_mode=WAL;
    CREATE TABLE orders (order_id TEXT PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL);
    CREATE TABLE outbox (
      seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL, order_id TEXT NOT NULL, fingerprint TEXT,
      value TEXT NOT NULL, headers TEXT NOT NULL
    );
    CREATE TABLE unanswered (order_id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL);
    CREATE TABLE idempotency_keys (
      key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, order_id TEXT NOT NULL, refusal TEXT, created_at INTEGER NOT NULL
    );
    CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
    CREATE TABLE positions (partition INTEGER PRIMARY KEY, topic_id TEXT NOT NULL, next INTEGER NOT NULL);
    INSERT INTO orders VALUES ('ORD-1', 2, 'confirmed'), ('ORD-2', 1, 'new'), ('ORD-3', 9007199254740992, 'shipped');
    INSERT INTO outbox VALUES (4, 'event-4', 'ORD-1', NULL, '{}', '{}'), (5, 'event-5', 'ORD-2', 'create 2', '{}', '{}');
    INSERT INTO unanswered VALUES ('ORD-1', 'create 1');
    INSERT INTO idempotency_keys VALUES ('k', 'create 2', 'ORD-2', NULL, 100);
    INSERT INTO positions VALUES (0, 'topic-1', 7);
    PRAGMA application_id=1868915553;
    PRAGMA user_version=1;
  `);
  db.close();
};

/** Starts a process that commits to the store in `directory` until it is killed. */
const startWriter = (t: TestContext, directory: string) => {
  const child = fork(join(import.meta.dirname, 'cart_store_process.ts'), [directory]);
  let committed = 0;
  child.on('message', (n: number) => (committed = n));
  const exited = once(child, 'exit');
  const kill = async (): Promise<number> => {
    child.kill('SIGKILL');
    await exited;
    return committed;
  };
  t.after(kill);
  return { committed: () => committed, kill };
};

describe('the SQLite cart store of version 1', () => {
  test('is taken over whole, with its orders, its outbox and what it remembers of requests', async () => {
    const directory = tempDir();
    writeVersion1(directory);
    const store = createSqliteCartStore({ directory });
    const loaded = await store.load(['ORD-1', 'ORD-2', 'ORD-3'], ['k']);
    assert.deepEqual(loaded.logged.get('ORD-1'), { version: 0, isPending: false, ahead: null });
    assert.deepEqual(
      [...loaded.orders.values()],
      [
        order('ORD-1', { version: 2, status: 'confirmed' }),
        order('ORD-2'),
        order('ORD-3', { version: 2_147_483_647, status: 'shipped' }),
      ],
    );
    assert.deepEqual(loaded.unanswered, new Map([['ORD-1', ['create 1']]]));
    assert.equal(loaded.idempotency.get('k')?.fingerprint, 'create 2');
    assert.deepEqual(await store.outbox(), [
      row(4, { message: { key: 'ORD-1', value: '{}', headers: {} } }, 'ORD-1'),
      row(
        5,
        { fingerprint: 'create 2', idempotencyKey: 'k', message: { key: 'ORD-2', value: '{}', headers: {} } },
        'ORD-2',
      ),
    ]);
    assert.deepEqual(await store.positions(), [{ partition: 0, topicId: 'topic-1', next: 7 }]);

    // The tables are those of a new store: all of them can be written.
    const state = order('ORD-2');
    await store.commit(
      batch({
        ahead: [{ orderId: 'ORD-1', version: 2, offset: 9 }],
        unanswered: [{ orderId: 'ORD-1', fingerprint: 'update 1', at: 1 }],
        takenBack: [{ row: row(5, { idempotencyKey: 'k' }), state, previous: null }],
        expireBefore: 0,
      }),
    );
    await store.close();
    const again = createSqliteCartStore({ directory });
    const kept = await again.load(['ORD-1', 'ORD-2'], ['k']);
    assert.deepEqual([...kept.orders.keys(), ...kept.idempotency.keys()], ['ORD-1']);
    assert.deepEqual(kept.unanswered.get('ORD-1')?.toSorted(), ['create 1', 'update 1']);
    await again.close();
  });
});

describe('the SQLite cart store of a running process', () => {
  test('is refused to a second process with a reason, and the first one works on', async (t) => {
    const directory = tempDir();
    const writer = startWriter(t, directory);
    await eventually(() => assert.ok(writer.committed() > 0));
    assert.throws(() => createSqliteCartStore({ directory }), {
      name: 'StoreError',
      code: 'STORE_REFUSED',
      message: `${join(directory, 'cart.sqlite')} is in use by another process. End that one, or set DATA_DIR to another folder.`,
    });
    const soFar = writer.committed();
    await eventually(() => assert.ok(writer.committed() > soFar));
  });

  test('is refused with a reason if it cannot be locked', () => {
    const directory = tempDir();
    mkdirSync(join(directory, 'cart.sqlite.lock'));
    assert.throws(() => createSqliteCartStore({ directory }), {
      name: 'StoreError',
      code: 'STORE_REFUSED',
      message: /cannot use .*cart\.sqlite as a store: .*Set DATA_DIR/,
    });
  });

  test('opens again after the process was killed, with every committed batch, and each of them whole', async (t) => {
    for (const atLeast of [1, 100, 1_000]) {
      const directory = tempDir();
      const writer = startWriter(t, directory);
      await eventually(() => assert.ok(writer.committed() >= atLeast));
      const reported = await writer.kill();

      const store = createSqliteCartStore({ directory });
      const last = (await store.positions())[0]?.next ?? 0;
      assert.ok(last >= reported, `${reported} were reported, ${last} are there`);
      const ids = Array.from({ length: last + 1 }, (_, n) => `ORD-${n + 1}`);
      assert.deepEqual(new Set((await store.load(ids, [])).orders.keys()), new Set(ids.slice(0, last)));
      assert.deepEqual(
        (await store.outbox()).map(({ seq }) => seq),
        [last],
      );
      await store.close();
    }
  });
});
