import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tempDir } from '#tests/support/temp_dir.ts';
import { failToStart, type ServiceName, startService } from './service_process.ts';

/** A start that cannot succeed ends with exit code 1 and one line that says what to change. */

const SERVICES = [
  { name: 'cart_service', port: 'CART_PORT', store: 'cart.sqlite' },
  { name: 'order_service', port: 'ORDER_PORT', store: 'order_view.sqlite' },
] as const satisfies { name: ServiceName; port: string; store: string }[];

for (const { name, port, store } of SERVICES) {
  describe(`${name} refuses to start`, () => {
    test('with a wrong setting, and says its name, its value and what is allowed', async () => {
      const { code, reason } = await failToStart(name, { DATA_DIR: tempDir(), [port]: 'eight thousand' });
      assert.equal(code, 1);
      assert.match(
        reason,
        new RegExp(`^[a-z-]+ cannot start: ${port} is "eight thousand", but must be a port number, 0 to 65535.*$`),
      );
    });

    test('on a port that is taken, and names it', async (t) => {
      const other = createServer().listen(0, 'localhost');
      await once(other, 'listening');
      t.after(() => other.close());
      const address = other.address();
      const taken = typeof address === 'object' ? String(address?.port) : '';
      const { code, reason } = await failToStart(name, { DATA_DIR: tempDir(), [port]: taken });
      assert.equal(code, 1);
      assert.match(
        reason,
        new RegExp(`cannot start: port ${taken} is taken by another program; end that or set ${port} to another port`),
      );
    });

    test('in a DATA_DIR that is not a folder', async () => {
      const file = join(tempDir(), 'file');
      writeFileSync(file, '');
      const { code, reason } = await failToStart(name, { DATA_DIR: file });
      assert.equal(code, 1);
      assert.match(reason, /cannot start: cannot use .*\. Set DATA_DIR to a folder this user may write to/);
    });

    test('on a store that is not a database, and leaves the file as it is', async () => {
      const directory = tempDir();
      mkdirSync(join(directory, 'embedded'));
      writeFileSync(join(directory, 'embedded', store), 'my holiday photos');
      const { code, reason } = await failToStart(name, { DATA_DIR: directory });
      assert.equal(code, 1);
      assert.match(reason, new RegExp(`cannot start: cannot use .*${store} as a store: .*left as it is`));
      assert.equal(readFileSync(join(directory, 'embedded', store), 'utf8'), 'my holiday photos');
    });
  });
}

test('a second cart_service on the store of a running one refuses to start', async (t) => {
  const directory = tempDir();
  const first = await startService('cart_service', { DATA_DIR: directory });
  t.after(() => first.stop());
  const { code, reason } = await failToStart('cart_service', { DATA_DIR: directory });
  assert.equal(code, 1);
  assert.match(reason, /cart\.sqlite is in use by another process/);
});
