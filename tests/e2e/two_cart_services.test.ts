import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { kafkaOfFile } from '#tests/contracts/kafka_under_test.ts';
import { postgresOfFile } from '#tests/postgres/postgres_for_tests.ts';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, orderDetails, updateOrder } from './api.ts';
import { type ServiceProcess, startService } from './service_process.ts';

/** Two Cart Services on one Kafka and one PostgreSQL: each takes any command on any order. */

const [kafka, postgres] = [await kafkaOfFile(), await postgresOfFile()];
const options = { skip: kafka.options.skip || postgres.options.skip };

/** Orders of a killed instance can be used after this time at the latest. */
const USABLE_MS = 5_000;

const startCarts = async (t: TestContext): Promise<{ carts: ServiceProcess[]; env: Record<string, string> }> => {
  const { bootstrapServers } = await kafka.address();
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: bootstrapServers.join(','),
    ORDERS_TOPIC: `orders-${randomUUID()}`,
    DATABASE_URL: await postgres.newDatabase(),
    CART_PORT: '0',
    ORDER_PORT: '0',
  };
  const carts = await Promise.all([1, 2].map(() => startService('cart_service', { ...env, DATA_DIR: tempDir() })));
  t.after(() => Promise.all(carts.map((cart) => cart.stop())));
  for (const { url } of carts) await eventually(async () => assert.ok(await isReady(url)));
  return { carts, env };
};

const urlsOf = (carts: readonly ServiceProcess[]): [string, string] => [carts[0]?.url ?? '', carts[1]?.url ?? ''];

test('two Cart Services decide every race for an order once', options, async (t) => {
  const { carts } = await startCarts(t);
  const [first, second] = urlsOf(carts);
  const races = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      Promise.all([
        createOrder(first, { order_id: `${n}`, number_of_items: 1 }),
        createOrder(second, { order_id: `${n}`, number_of_items: 2 }),
      ]),
    ),
  );
  for (const race of races)
    assert.deepEqual(
      race.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 409],
    );

  // What one has answered, the other one builds on.
  const updates = await Promise.all(
    races.map((_, n) => updateOrder(n % 2 === 0 ? first : second, { order_id: `${n}`, status: 'confirmed' })),
  );
  assert.deepEqual(new Set(updates.map(({ status }) => status)), new Set([200]));
  const others = await Promise.all(
    races.map((_, n) => updateOrder(n % 2 === 0 ? second : first, { order_id: `${n}`, status: 'shipped' })),
  );
  assert.deepEqual(new Set(others.map(({ status }) => status)), new Set([200]));
});

test('an idempotency key holds on every Cart Service', options, async (t) => {
  const { carts } = await startCarts(t);
  const [first, second] = urlsOf(carts);
  const key = { 'idempotency-key': 'k' };
  const body = { order_id: '1', number_of_items: 1 };
  const answers = await Promise.all([createOrder(first, body, key), createOrder(second, body, key)]);
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal((await createOrder(second, { order_id: '2', number_of_items: 1 }, key)).status, 422);
});

test('the orders of a Cart Service that is killed can be used on the other one', options, async (t) => {
  const { carts, env } = await startCarts(t);
  const [first, second] = urlsOf(carts);
  const order = await startService('order_service', { ...env, DATABASE_URL: '', DATA_DIR: tempDir() });
  t.after(() => order.stop());

  const acknowledged: string[] = [];
  const asked: string[] = [];
  let isOver = false;
  const load = Array.from({ length: 20 }, async (_, worker) => {
    for (let n = 0; !isOver; n++) {
      const id = `${worker}${String(n).padStart(6, '0')}`;
      asked.push(id);
      const status = await createOrder(first, { order_id: id, number_of_items: 1 }).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) acknowledged.push(id);
      if (status === 0) return;
    }
  });
  await eventually(() => assert.ok(acknowledged.length > 200));
  await carts[0]?.kill();
  isOver = true;
  await Promise.all(load);

  const killedAt = performance.now();
  // What was acknowledged is there at once. What was open is decided by the other instance.
  const updates = await Promise.all(
    acknowledged.map((id) => updateOrder(second, { order_id: id, status: 'confirmed' })),
  );
  assert.deepEqual(new Set(updates.map(({ status }) => status)), new Set([200]));
  const open = asked.filter((id) => !acknowledged.includes(id));
  await Promise.all(
    open.map((id) =>
      eventually(async () => {
        const { status } = await createOrder(second, { order_id: id, number_of_items: 1 });
        assert.ok(status === 200 || status === 409, `${id}: ${status}`);
      }),
    ),
  );
  const tookMs = performance.now() - killedAt;
  assert.ok(tookMs < 2 * USABLE_MS, `the last open order could be used after ${Math.round(tookMs)} ms`);
  for (const id of asked) {
    await eventually(async () => assert.equal((await orderDetails(order.url, id, { prefer: 'wait=5' })).status, 200));
    if (acknowledged.includes(id)) {
      await eventually(async () => {
        const { body } = await orderDetails(order.url, id);
        assert.equal((body['order'] as { status: string }).status, 'confirmed');
      });
    }
  }
});
