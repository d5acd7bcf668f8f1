import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import { createOrder, isReady, updateOrder } from '#tests/e2e/api.ts';
import { type CliProcess, startScript } from '#tests/e2e/cli_process.ts';
import { startService } from '#tests/e2e/service_process.ts';
import { kafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';

/** The examples as a learner runs them. The one in Python has a file of its own: `invoices.test.ts`. */

const kafka = kafkaForTests();

const published = [
  /^published ORDER_CREATED to partition \d, offset \d+$/,
  /^published ORDER_STATUS_UPDATED to partition \d, offset \d+$/,
  /^consumed ORDER_CREATED of ORD-\d+, version 1, from partition \d, offset \d+$/,
  /^consumed ORDER_STATUS_UPDATED of ORD-\d+, version 2, from partition \d, offset \d+$/,
];

const assertRunsTwice = async (script: string, env: Record<string, string>): Promise<void> => {
  for (const run of ['the first run', 'the second run']) {
    const { code, stdout, stderr } = await startScript(script, [], env).ended;
    assert.equal(code, 0, stderr);
    const lines = stdout.trim().split('\n');
    assert.equal(lines.length, published.length, run);
    published.forEach((pattern, n) => assert.match(lines[n] ?? '', pattern, run));
  }
};

test('example 1 publishes and consumes an order, and consumes only new events when it runs again', () =>
  assertRunsTwice('examples/1_embedded.ts', { DATA_DIR: tempDir() }));

test('example 2 does the same on Kafka', 'skip' in kafka ? kafka : {}, async () => {
  assert.ok('bootstrapServers' in kafka);
  await assertRunsTwice('examples/2_kafka.ts', {
    KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
    ORDERS_TOPIC: randomUUID(),
  });
});

const brokers = [
  { broker: 'the embedded broker', skip: false, bootstrapServers: '' },
  { broker: 'Apache Kafka', skip: false, bootstrapServers: '', ...kafka },
];

for (const { broker, skip, bootstrapServers } of brokers) {
  describe(`example 4 on ${broker}`, { skip }, () => {
    test('lists each confirmed order once, also after it was killed and started again', async (t) => {
      const env = {
        DATA_DIR: tempDir(),
        KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
        ORDERS_TOPIC: randomUUID(),
      };
      const cart = await startService('cart_service', env);
      t.after(() => cart.stop());
      const shipping = await startShipping(t, env);
      await eventually(async () => assert.ok(await isReady(cart.url)));
      for (const id of ['1', '2', '3']) await createOrder(cart.url, { order_id: id, number_of_items: 1 });
      for (const id of ['2', '3']) await updateOrder(cart.url, { order_id: id, status: 'confirmed' });
      await eventually(async () => assert.deepEqual(await toShip(shipping.url), ['ORD-2', 'ORD-3']));
      assert.ok(await isReady(shipping.url));

      shipping.process.kill('SIGKILL');
      await shipping.process.ended;
      await updateOrder(cart.url, { order_id: '1', status: 'confirmed' });
      await updateOrder(cart.url, { order_id: '2', status: 'shipped' });
      const again = await startShipping(t, env);
      await eventually(async () => assert.deepEqual(await toShip(again.url), ['ORD-1', 'ORD-3']));

      again.process.kill('SIGTERM');
      const { code } = await again.process.ended;
      assert.equal(code, process.platform === 'win32' ? null : 0);
    });
  });
}

const startShipping = async (
  t: TestContext,
  env: Record<string, string>,
): Promise<{ url: string; process: CliProcess }> => {
  const shipping = startScript('examples/4_shipping.ts', [], { ...env, SHIPPING_PORT: '0', LOG_LEVEL: 'info' });
  t.after(() => shipping.kill('SIGKILL'));
  const line = await eventually(() => {
    const found = shipping.output().match(/^.*Application startup complete.*$/m);
    assert.ok(found, shipping.output() + shipping.notes());
    return found[0];
  });
  return { url: (JSON.parse(line) as { url: string }).url, process: shipping };
};

const toShip = async (url: string): Promise<readonly string[]> => {
  const response = await fetch(`${url}/to-ship`);
  const { orderIds } = (await response.json()) as { orderIds: string[] };
  return orderIds.toSorted();
};
