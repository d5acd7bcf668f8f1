import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { startKafka } from '#tests/kafka/apache_kafka.ts';
import { freePorts } from '#tests/kafka/free_ports.ts';
import { kafkaForTests, ownKafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, orderDetails, orderIds, updateOrder } from './api.ts';
import { type ServiceName, type ServiceProcess, startService } from './service_process.ts';

/** Both services as processes, on each broker: what the README promises, also when parts of the system die. */

const WAIT = { prefer: 'wait=10' };

/** The settings of one system, which shares nothing with those of other tests. */
const settings = (bootstrapServers: string): Record<string, string> => ({
  DATA_DIR: tempDir(),
  KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
  ORDERS_TOPIC: `orders-${randomUUID()}`,
  CONSUMER_GROUP: `group-${randomUUID()}`,
  CONSUMER_MEMBER_ID: 'member',
});

const start = async (t: TestContext, name: ServiceName, env: Record<string, string>): Promise<ServiceProcess> => {
  const service = await startService(name, env);
  t.after(() => service.stop());
  return service;
};

const kafka = kafkaForTests();
const brokers = [
  { name: 'the embedded broker', folder: 'embedded', bootstrapServers: '', skip: false },
  { name: 'Apache Kafka', folder: 'kafka', bootstrapServers: '', skip: false, ...kafka },
];

for (const { name, folder, bootstrapServers, skip } of brokers) {
  describe(`the system on ${name}`, { skip }, () => {
    test('creates, reads, updates and lists orders, and refuses wrong requests', async (t) => {
      const env = settings(bootstrapServers);
      const [order, cart] = await Promise.all([start(t, 'order_service', env), start(t, 'cart_service', env)]);
      await eventually(async () => assert.ok(await isReady(cart.url)));

      const created = await createOrder(cart.url, { order_id: '123', number_of_items: 3 });
      assert.deepEqual(
        [created.status, created.body],
        [200, { message: 'order created and published successfully', orderId: 'ORD-123' }],
      );
      const read = await orderDetails(order.url, 'ORD-123', WAIT);
      assert.equal(read.status, 200);
      const details = read.body as {
        order: { items: { quantity: number; price: number }[]; totalAmount: number; status: string };
        shippingCost: number;
      };
      assert.equal(details.order.items.length, 3);
      assert.equal(details.order.status, 'new');
      assert.ok(Math.abs(details.shippingCost - details.order.totalAmount * 0.02) <= 0.5);

      assert.equal(
        (await createOrder(cart.url, { order_id: '123', number_of_items: 3 })).body['code'],
        'OrderAlreadyExists',
      );
      const updated = await updateOrder(cart.url, { order_id: 'ORD-123', status: 'Confirmed' });
      assert.deepEqual(
        [updated.status, updated.body],
        [200, { message: 'order status updated and published successfully', orderId: 'ORD-123' }],
      );
      await eventually(async () => {
        const { body } = await orderDetails(order.url, '123');
        assert.equal((body['order'] as { status: string }).status, 'confirmed');
      });
      assert.equal(
        (await updateOrder(cart.url, { order_id: 'ORD-123', status: 'new' })).body['code'],
        'StatusNotAllowed',
      );
      assert.equal(
        (await updateOrder(cart.url, { order_id: 'ORD-9', status: 'confirmed' })).body['code'],
        'OrderNotFound',
      );
      const bad = await createOrder(cart.url, { order_id: 'x', number_of_items: '3' });
      assert.deepEqual([bad.status, bad.type], [400, 'application/problem+json']);

      await createOrder(cart.url, {
        orderId: 7,
        items: [{ itemId: 'A', quantity: 2, price: 75.25 }],
        customerId: 'C-1',
        currency: 'EUR',
      });
      const given = await orderDetails(order.url, 'ORD-7', WAIT);
      const { orderDate, ...rest } = given.body['order'] as Record<string, unknown>;
      assert.ok(orderDate);
      assert.deepEqual(rest, {
        orderId: 'ORD-7',
        customerId: 'C-1',
        items: [{ itemId: 'A', quantity: 2, price: 75.25 }],
        totalAmount: 150.5,
        currency: 'EUR',
        status: 'new',
      });
      assert.equal(given.body['shippingCost'], 3.01);
      assert.deepEqual((await orderIds(order.url, env['ORDERS_TOPIC'] ?? '')).toSorted(), ['ORD-123', 'ORD-7']);
      assert.deepEqual(await orderIds(order.url, 'another.topic'), []);
    });

    test('keeps every order that was answered 200, after both services were killed and restarted', async (t) => {
      const env = settings(bootstrapServers);
      let cart = await start(t, 'cart_service', env);
      let order = await start(t, 'order_service', env);
      await eventually(async () => assert.ok(await isReady(cart.url)));
      const answered = new Set<string>();
      const load = Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          const reply = await createOrder(cart.url, { order_id: String(i), number_of_items: 1 }).catch(() => null);
          if (reply?.status === 200) answered.add(`ORD-${i}`);
        }),
      );
      await eventually(() => assert.ok(answered.size > 20));
      await Promise.all([cart.kill(), order.kill()]);
      await load;

      [cart, order] = await Promise.all([start(t, 'cart_service', env), start(t, 'order_service', env)]);
      for (const id of answered) assert.equal((await orderDetails(order.url, id, WAIT)).status, 200, id);
      await eventually(async () => {
        const again = await createOrder(cart.url, { order_id: '1000', number_of_items: 1 });
        assert.equal(again.status, 200);
      });
      assert.equal((await orderDetails(order.url, '1000', WAIT)).status, 200);
      const ids = await orderIds(order.url, env['ORDERS_TOPIC'] ?? '');
      assert.equal(ids.length, new Set(ids).size, 'each id once');
    });

    test('reads the view and the orders of the cart from the log again, after both stores were deleted', async (t) => {
      const env = settings(bootstrapServers);
      const cart = await start(t, 'cart_service', env);
      const order = await start(t, 'order_service', env);
      await eventually(async () => assert.ok(await isReady(cart.url)));
      for (const id of ['1', '2', '3']) await createOrder(cart.url, { order_id: id, number_of_items: 1 });
      await updateOrder(cart.url, { order_id: '2', status: 'shipped' });
      assert.equal((await orderDetails(order.url, '3', WAIT)).status, 200);
      assert.deepEqual(await Promise.all([cart.stop(), order.stop()]), [0, 0]);
      for (const store of ['cart', 'order_view']) {
        for (const suffix of ['', '-wal', '-shm'])
          rmSync(join(env['DATA_DIR'] ?? '', folder, `${store}.sqlite${suffix}`), { force: true });
      }

      const order2 = await start(t, 'order_service', env);
      const cart2 = await start(t, 'cart_service', env);
      await eventually(async () => {
        const { body } = await orderDetails(order2.url, '2', WAIT);
        assert.equal((body['order'] as { status: string }).status, 'shipped');
      });
      await eventually(async () =>
        assert.equal(
          (await createOrder(cart2.url, { order_id: '1', number_of_items: 1 })).body['code'],
          'OrderAlreadyExists',
        ),
      );
      assert.equal((await updateOrder(cart2.url, { order_id: '2', status: 'delivered' })).status, 200);
      await eventually(async () => {
        const { body } = await orderDetails(order2.url, '2');
        assert.equal((body['order'] as { status: string }).status, 'delivered');
      });
    });

    test('answers the requests under way within 5 s when the Cart Service is stopped', async (t) => {
      const env = settings(bootstrapServers);
      const cart = await start(t, 'cart_service', env);
      await eventually(async () => assert.ok(await isReady(cart.url)));
      const underWay = Array.from({ length: 50 }, (_, i) =>
        createOrder(cart.url, { order_id: String(i), number_of_items: 1 }),
      );
      await Promise.race(underWay);
      const started = performance.now();
      assert.equal(await cart.stop(), 0);
      assert.ok(performance.now() - started < 5_000);
      for (const reply of await Promise.allSettled(underWay)) {
        // The operating system refuses those whose connection was not accepted yet.
        if (reply.status === 'fulfilled') assert.equal(reply.value.status, 200);
      }
    });
  });
}

const own = await ownKafkaForTests();

describe('the system while its Kafka fails and comes back', own, () => {
  test('starts without a broker, answers 503 not_created, and works when the broker starts', async (t) => {
    const [port = 0] = await freePorts(1);
    const env = settings(`localhost:${port}`);
    const [order, cart] = await Promise.all([start(t, 'order_service', env), start(t, 'cart_service', env)]);
    const refused = await createOrder(cart.url, { order_id: '1', number_of_items: 1 });
    assert.deepEqual(
      [refused.status, refused.body['code'], refused.body['outcome']],
      [503, 'KafkaBrokersUnavailable', 'not_created'],
    );
    assert.equal(await isReady(cart.url), false);
    assert.equal(await isReady(order.url), false);
    assert.equal((await orderDetails(order.url, '1')).status, 404, 'reads go on');

    const broker = await startKafka({ port });
    t.after(() => broker.stop());
    await eventually(
      async () => assert.equal((await createOrder(cart.url, { order_id: '1', number_of_items: 1 })).status, 200),
      15_000,
    );
    await eventually(async () => assert.equal((await orderDetails(order.url, '1')).status, 200), 15_000);
  });

  test('loses and doubles no order that was answered 200 when the broker is killed under load', async (t) => {
    const broker = await startKafka();
    t.after(() => broker.stop());
    const env = settings(broker.bootstrapServers);
    const [order, cart] = await Promise.all([start(t, 'order_service', env), start(t, 'cart_service', env)]);
    await eventually(async () => assert.ok(await isReady(cart.url)));

    const outcomes = new Map<number, string>();
    let running = true;
    let next = 0;
    const client = async (): Promise<void> => {
      while (running) {
        const id = next++;
        const { status, body } = await createOrder(cart.url, { order_id: String(id), number_of_items: 1 });
        outcomes.set(id, status === 200 ? 'created' : String(body['outcome']));
        // While the broker is down, refusals come at once; without a pause there would be millions.
        if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const clients = Array.from({ length: 10 }, client);
    const count = (outcome: string): number => [...outcomes.values()].filter((o) => o === outcome).length;
    await eventually(() => assert.ok(count('created') > 100));
    await broker.kill();
    await eventually(() => assert.ok(count('not_created') > 10));
    const before = count('created');
    await broker.restart();
    await eventually(() => assert.ok(count('created') > before + 100), 30_000);
    running = false;
    await Promise.all(clients);

    // As the answer `unknown` asks for, send the same request again.
    for (const [id, outcome] of outcomes) {
      if (outcome !== 'unknown') continue;
      await eventually(async () =>
        assert.equal((await createOrder(cart.url, { order_id: String(id), number_of_items: 1 })).status, 200),
      );
      outcomes.set(id, 'created');
    }
    const expected = [...outcomes].flatMap(([id, outcome]) => (outcome === 'created' ? [`ORD-${id}`] : []));
    await eventually(async () => {
      assert.deepEqual((await orderIds(order.url, env['ORDERS_TOPIC'] ?? '')).toSorted(), expected.toSorted());
    }, 20_000);
  });

  test('answers every request within the deadline while the broker is stopped, with a true outcome', async (t) => {
    const broker = await startKafka();
    t.after(() => broker.stop());
    const env: Record<string, string> = { ...settings(broker.bootstrapServers), REQUEST_DEADLINE_MS: '3000' };
    const [order, cart] = await Promise.all([start(t, 'order_service', env), start(t, 'cart_service', env)]);
    await eventually(async () => assert.ok(await isReady(cart.url)));
    await createOrder(cart.url, { order_id: '0', number_of_items: 1 });
    await broker.pause();
    const paused = performance.now();
    const outcomes = new Map<string, string>();
    for (let id = 1; performance.now() - paused < 8_000; id++) {
      const started = performance.now();
      const { status, body } = await createOrder(cart.url, { order_id: String(id), number_of_items: 1 });
      assert.ok(performance.now() - started < 3_500, 'answered within the deadline');
      assert.equal(status, 503);
      outcomes.set(String(id), String(body['outcome']));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await broker.resume();
    const [unknown] =
      [...outcomes].find(([, outcome]) => outcome === 'unknown') ?? assert.fail('no request was answered unknown');
    await eventually(
      async () => assert.equal((await createOrder(cart.url, { order_id: unknown, number_of_items: 1 })).status, 200),
      15_000,
    );
    assert.equal((await orderDetails(order.url, unknown, WAIT)).status, 200);
    const ids = await orderIds(order.url, env['ORDERS_TOPIC'] ?? '');
    for (const [id, outcome] of outcomes) if (outcome === 'not_created') assert.ok(!ids.includes(`ORD-${id}`), id);
  });
});
