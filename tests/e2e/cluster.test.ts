import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createKafkaBroker } from '#kafka_common/kafka/kafka_broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { eventually } from '#tests/support/eventually.ts';
import { kafkaStarter, startKafkaCluster } from '#tests/kafka/apache_kafka.ts';
import { ownKafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, orderDetails, type Reply } from './api.ts';
import { startService } from './service_process.ts';

const own = await ownKafkaForTests();
const skip = own.skip || ((await kafkaStarter()).kind === 'java' ? false : 'three brokers need Java');

describe('the system on three brokers', { skip }, () => {
  test('loses no order when one broker is killed, and takes orders on every partition again', async (t) => {
    const cluster = await startKafkaCluster(3);
    t.after(() => cluster.stop());
    const env = {
      DATA_DIR: tempDir(),
      KAFKA_BOOTSTRAP_SERVERS: cluster.bootstrapServers,
      CONSUMER_MEMBER_ID: 'member',
    };
    const [cart, order] = await Promise.all([startService('cart_service', env), startService('order_service', env)]);
    t.after(() => Promise.all([cart.stop(), order.stop()]));
    await eventually(async () => assert.ok(await isReady(cart.url)), 30_000);

    const client = createKafkaBroker({ bootstrapServers: cluster.bootstrapServers.split(','), clientId: 'test' });
    t.after(() => client.close());
    const topic = await client.describeTopic('orders.events');
    assert.ok(topic);
    const leaders = Array.from({ length: topic.partitions }, (_, partition) => client.leaderOf(topic.name, partition));
    assert.equal(new Set(leaders).size, 3, 'every broker leads a partition');

    const answers = new Map<number, Reply>();
    const create = async (id: number): Promise<void> => {
      answers.set(id, await createOrder(cart.url, { order_id: String(id), number_of_items: 1 }));
    };
    await Promise.all(Array.from({ length: 30 }, (_, id) => create(id)));
    const dead = leaders[partitionOf('ORD-1', topic.partitions)] ?? 0;
    await cluster.brokers[dead - 1]?.kill();
    let next = 100;
    await eventually(async () => {
      const ids = Array.from({ length: 12 }, () => next++);
      await Promise.all(ids.map(create));
      assert.deepEqual(ids.map((id) => answers.get(id)?.body['detail']).filter(Boolean), []);
    }, 90_000);
    for (const [id, { status }] of answers) {
      if (status === 200)
        assert.equal((await orderDetails(order.url, String(id), { prefer: 'wait=30' })).status, 200, String(id));
    }
  });
});
