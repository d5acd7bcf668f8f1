import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceProcessOptions } from '#service_common/process_settings.ts';
import { killAtExit, watchProcess } from '#tests/support/watched_process.ts';
import { spawn } from 'node:child_process';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, orderDetails } from './api.ts';
import { mainOf, readyUrl, type ServiceName, startService } from './service_process.ts';

/** Another process stands still in the middle of a write to a file of the embedded broker. */

const lock = (t: TestContext, dataDir: string, file: string): DatabaseSync => {
  mkdirSync(join(dataDir, 'embedded'), { recursive: true });
  const db = new DatabaseSync(join(dataDir, 'embedded', file), { timeout: 5_000 });
  t.after(() => db.isOpen && db.close());
  db.exec('PRAGMA journal_mode=WAL; BEGIN IMMEDIATE');
  return db;
};

/** Begins to start a service, which need not succeed. */
const begin = (name: ServiceName, dataDir: string) => {
  const { execArgv, env } = serviceProcessOptions({
    KAFKA_BOOTSTRAP_SERVERS: '',
    CART_PORT: '0',
    ORDER_PORT: '0',
    LOG_LEVEL: 'info',
    DATA_DIR: dataDir,
  });
  const child = spawn(process.execPath, [...execArgv, mainOf(name)], { stdio: ['ignore', 'pipe', 'pipe'], env });
  killAtExit(child);
  return { child, ...watchProcess(child, name) };
};

const stop = ({ child, ended }: ReturnType<typeof begin>): Promise<unknown> => {
  child.kill('SIGTERM');
  return ended;
};

/** Longer than a statement ever waits for a lock, and than the time between two log lines. */
const LONG_MS = 7_000;

describe('while another process holds a file of the embedded broker locked', () => {
  for (const file of ['broker.sqlite', 'broker_groups.sqlite']) {
    test(`which is new (${file}), both services wait, say for what, and start when it is free`, async (t) => {
      const dataDir = tempDir();
      const other = lock(t, dataDir, file);
      const services = (['cart_service', 'order_service'] as const).map((name) => begin(name, dataDir));
      t.after(() => Promise.all(services.map(stop)));
      const waits = ({ output }: { readonly output: readonly string[] }) =>
        output.filter((line) => line.includes('waiting for the embedded broker') && line.includes(file)).length;
      for (const service of services) await eventually(() => assert.equal(waits(service), 1), 20_000);
      await sleep(LONG_MS);
      for (const service of services) assert.ok(waits(service) === 2 || waits(service) === 3);
      other.close();
      for (const { output } of services) {
        await eventually(async () => {
          const url = output.map(readyUrl).find((found) => found !== undefined);
          assert.ok(url !== undefined && (await isReady(url)));
        }, 20_000);
      }
    });
  }

  test('a service that waits hears the signal to stop', async (t) => {
    const dataDir = tempDir();
    lock(t, dataDir, 'broker.sqlite');
    const { child, output, ended } = begin('order_service', dataDir);
    await eventually(() => assert.ok(output.some((line) => line.includes('waiting for'))), 20_000);
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
  });

  test('which has the topic, both services start; creates keep their deadline, and are taken when it is free', async (t) => {
    const dataDir = tempDir();
    const env = { DATA_DIR: dataDir, REQUEST_DEADLINE_MS: '2000' };
    const former = await Promise.all([startService('cart_service', env), startService('order_service', env)]);
    await eventually(async () => assert.ok(await isReady(former[0].url)));
    assert.equal((await createOrder(former[0].url, { order_id: '1', number_of_items: 1 })).status, 200);
    await eventually(async () => assert.equal((await orderDetails(former[1].url, '1')).status, 200));
    for (const service of former) await service.stop();

    const other = lock(t, dataDir, 'broker.sqlite');
    await sleep(100);
    const [cart, order] = await Promise.all([startService('cart_service', env), startService('order_service', env)]);
    t.after(() => Promise.all([cart.stop(), order.stop()]));
    assert.equal((await orderDetails(order.url, '1')).status, 200);
    const began = performance.now();
    const refused = await createOrder(cart.url, { order_id: '2', number_of_items: 1 });
    assert.ok(performance.now() - began < 4_000);
    assert.equal(refused.status, 503);
    assert.equal(await isReady(cart.url), false);
    other.close();
    await eventually(async () => {
      assert.equal((await createOrder(cart.url, { order_id: '3', number_of_items: 1 })).status, 200);
    }, 20_000);
  });
});
