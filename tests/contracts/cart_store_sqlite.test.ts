import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createSqliteCartStore } from '#cart_service/store/sqlite/sqlite_cart_store.ts';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { cartStoreContract } from './cart_store_contract.ts';

cartStoreContract('SQLite', () => {
  const directory = tempDir();
  return async () => createSqliteCartStore({ directory });
});

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
