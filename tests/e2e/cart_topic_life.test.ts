import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Admin, Producer, stringSerializers } from '@platformatic/kafka';
import { createKafkaBroker } from '#kafka_common/kafka/kafka_broker.ts';
import { kafkaOfFile } from '#tests/contracts/kafka_under_test.ts';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, type Reply, updateOrder } from './api.ts';
import { type ServiceProcess, startService } from './service_process.ts';

/** What an administrator, or another producer, does to the topic under a running Cart Service. */

const kafka = await kafkaOfFile();

/** Creates are answered 200 again within this time after the topic changed. */
const AGAIN_MS = 15_000;

interface Scene {
  readonly cart: ServiceProcess;
  readonly admin: Admin;
  readonly topic: string;
  readonly servers: string[];
  /** Creates new orders. */
  create(count: number): Promise<Reply[]>;
  /** Order ids in the log. */
  log(): Promise<string[]>;
}

const adminOf = (t: TestContext, bootstrapBrokers: string[]): Admin => {
  const admin = new Admin({ clientId: 'administrator', bootstrapBrokers });
  t.after(() => admin.close());
  return admin;
};

const startScene = async (
  t: TestContext,
  prepare: (admin: Admin, topic: string) => Promise<unknown> = async () => {},
): Promise<Scene> => {
  const servers = [...(await kafka.address()).bootstrapServers];
  const topic = `orders.${randomUUID()}`;
  const admin = adminOf(t, servers);
  await prepare(admin, topic);
  const cart = await startService('cart_service', {
    DATA_DIR: tempDir(),
    KAFKA_BOOTSTRAP_SERVERS: servers.join(','),
    ORDERS_TOPIC: topic,
    TOPIC_PARTITIONS: '4',
  });
  t.after(() => cart.stop());
  await eventually(async () => assert.ok(await isReady(cart.url)));
  const client = createKafkaBroker({ bootstrapServers: servers, clientId: 'test' });
  t.after(() => client.close());
  let next = 1;
  return {
    cart,
    admin,
    topic,
    servers,
    create: (count) =>
      Promise.all(Array.from({ length: count }, () => createOrder(cart.url, { order_id: next++, number_of_items: 1 }))),
    async log() {
      const ids: string[] = [];
      for await (const { records } of client.read(topic, new Map())) ids.push(...records.map(({ key }) => String(key)));
      return ids;
    },
  };
};

const statusesOf = (replies: readonly Reply[]): number[] => [...new Set(replies.map(({ status }) => status))];

/** Creates until all of a round are answered 200. Until then every answer must be a 503 that says what became of it. */
const untilTaken = (scene: Scene): Promise<void> =>
  eventually(async () => {
    const replies = await scene.create(8);
    for (const { status, body } of replies) {
      if (status !== 200) assert.deepEqual([status, typeof body['outcome']], [503, 'string']);
    }
    assert.deepEqual(statusesOf(replies), [200], JSON.stringify(replies.find(({ status }) => status !== 200)?.body));
  }, AGAIN_MS);

/** Nothing is sent again and again: the log stands still, and the service is ready. */
const assertCalm = async (scene: Scene): Promise<void> => {
  await eventually(async () => assert.ok(await isReady(scene.cart.url)), AGAIN_MS);
  const before = await scene.log();
  await sleep(2_500);
  assert.deepEqual((await scene.log()).length, before.length);
};

describe('the Cart Service on a topic that changes', kafka.options, () => {
  test('answers 200 to all small orders beside orders that are larger than the topic takes', async (t) => {
    const scene = await startScene(t, (admin, topic) =>
      admin.createTopics({
        topics: [topic],
        partitions: 4,
        replicas: 1,
        configs: [{ name: 'max.message.bytes', value: '2000' }],
      }),
    );
    const large = Array.from({ length: 6 }, (_, i) =>
      createOrder(scene.cart.url, { order_id: 9_000 + i, number_of_items: 900 }),
    );
    assert.deepEqual(statusesOf(await scene.create(60)), [200]);
    for (const { status, body } of await Promise.all(large)) {
      assert.deepEqual([status, body['outcome']], [503, 'not_created']);
      assert.match(String(body['detail']), /sending it again is of no use: .*TOO_LARGE/);
    }
    assert.ok(await isReady(scene.cart.url));
    assert.equal((await scene.log()).length, 60);
  });

  test('creates a topic that was deleted, and answers 200 again', async (t) => {
    const scene = await startScene(t);
    assert.deepEqual(statusesOf(await scene.create(20)), [200]);
    await scene.admin.deleteTopics({ topics: [scene.topic] });
    await untilTaken(scene);
    await assertCalm(scene);
  });

  test('notices the deletion while nobody asks it for anything', async (t) => {
    const scene = await startScene(t);
    await scene.admin.deleteTopics({ topics: [scene.topic] });
    await eventually(
      () => assert.ok(scene.cart.output.some((line) => line.includes('the topic has changed; opening it again'))),
      AGAIN_MS,
    );
    await assertCalm(scene);
    assert.deepEqual(statusesOf(await scene.create(8)), [200]);
  });

  for (const partitions of [1, 4, 7]) {
    test(`goes on if a topic of 4 partitions is created again with ${partitions}`, async (t) => {
      const scene = await startScene(t);
      assert.deepEqual(statusesOf(await scene.create(20)), [200]);
      const creating = eventually(() =>
        scene.admin.createTopics({ topics: [scene.topic], partitions, replicas: 1 }),
      ).catch(() => {});
      await scene.admin.deleteTopics({ topics: [scene.topic] });
      await untilTaken(scene);
      await creating;
      await untilTaken(scene);
      await assertCalm(scene);
      const { body } = await updateOrder(scene.cart.url, { order_id: 1, status: 'confirmed' });
      assert.equal(body['orderId'], 'ORD-1', JSON.stringify(body));
    });
  }

  test('writes to partitions that are added', async (t) => {
    const scene = await startScene(t);
    assert.deepEqual(statusesOf(await scene.create(20)), [200]);
    const { brokers } = await scene.admin.metadata({ topics: [scene.topic] });
    const assignments = Array.from({ length: 5 }, () => ({ brokerIds: [...brokers.keys()] }));
    await scene.admin.createPartitions({ topics: [{ name: scene.topic, count: 9, assignments }] });
    await eventually(
      () => assert.ok(scene.cart.output.some((line) => /"partitions":9.*ready to publish/.test(line))),
      AGAIN_MS,
    );
    await untilTaken(scene);
    await assertCalm(scene);
  });

  test('starts once an open transaction of another producer has ended, and says that it waits for it', async (t) => {
    const first = await startScene(t);
    const producer = new Producer({
      clientId: 'other',
      bootstrapBrokers: first.servers,
      idempotent: true,
      transactionalId: randomUUID(),
      serializers: stringSerializers,
    });
    t.after(() => producer.close());
    const transaction = await producer.beginTransaction();
    await transaction.send({ messages: [{ topic: first.topic, key: 'ORD-1', value: '{}' }] });
    assert.deepEqual(statusesOf(await first.create(8)), [200], 'an open transaction holds up no create');
    const second = await startService('cart_service', {
      DATA_DIR: tempDir(),
      KAFKA_BOOTSTRAP_SERVERS: first.servers.join(','),
      ORDERS_TOPIC: first.topic,
    });
    t.after(() => second.stop());
    await eventually(async () => {
      const { body } = await createOrder(second.url, { order_id: 1, number_of_items: 1 });
      assert.match(String(body['detail']), /an open transaction holds up partition/);
    }, AGAIN_MS);
    assert.equal(await isReady(second.url), false);
    await transaction.abort();
    await eventually(async () => assert.ok(await isReady(second.url)), AGAIN_MS);
    assert.equal(
      (await createOrder(second.url, { order_id: 1, number_of_items: 1 })).body['code'],
      'OrderAlreadyExists',
    );
  });
});
