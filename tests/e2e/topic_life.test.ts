import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Admin, Producer, stringSerializers } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { createKafkaBroker } from '#kafka_common/kafka/kafka_broker.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { DELAYS } from '#order_service/consuming/consuming_state.ts';
import { heldUpWarnings } from '#order_service/consuming/held_up_warnings.ts';
import { kafkaOfFile } from '#tests/contracts/kafka_under_test.ts';
import { created } from '#tests/support/events.ts';
import { eventually } from '#tests/support/eventually.ts';
import { createRunnerPlace } from '#tests/support/runner_place.ts';

/** What an administrator does to the topic under a running Order Service, on real Kafka. */

/** From the change until everything in the topic can be read. */
const READABLE_MS = 10_000;

const kafka = await kafkaOfFile();

let place: Awaited<ReturnType<typeof createRunnerPlace>>;

beforeEach(async () => {
  place = await createRunnerPlace();
});

afterEach(() => place.remove());

const openBroker = async (clientId: string): Promise<Broker> => {
  const broker = createKafkaBroker({ ...(await kafka.address()), clientId });
  place.defer(() => broker.close());
  return broker;
};

const openAdmin = async (): Promise<Admin> => {
  const { bootstrapServers } = await kafka.address();
  const admin = new Admin({ clientId: 'administrator', bootstrapBrokers: [...bootstrapServers] });
  place.defer(() => admin.close());
  return admin;
};

const publish = async (broker: Broker, topic: Topic, orderIds: readonly string[]): Promise<void> => {
  const messages = orderIds.map((orderId) => encodeEvent(created(orderId), ''));
  const fates = await broker.publish(topic, messages, 5_000);
  assert.ok(
    fates.every(({ kind }) => kind === 'acknowledged'),
    JSON.stringify(fates[0]),
  );
};

const idsFrom = (first: number, count: number): string[] => Array.from({ length: count }, (_, n) => `ORD-${first + n}`);

/** A runner that has read ten orders of a topic of 2 partitions. */
const startSystem = async () => {
  const name = `topic-life-${randomUUID().slice(0, 8)}`;
  const [broker, publisher, admin] = [await openBroker('order'), await openBroker('cart'), await openAdmin()];
  const topic = await publisher.ensureTopic(name, 2);
  await publish(publisher, topic, idsFrom(0, 10));
  const { runner, lines } = place.startRunner(broker, { topic: name, group: `${name}-group`, delays: DELAYS });
  const ordersAre = (count: number, withinMs = READABLE_MS): Promise<void> =>
    eventually(async () => assert.equal((await place.db.counts()).orders, count), withinMs);
  await ordersAre(10, 30_000);
  const makeAgain = (partitions: number): Promise<Topic> =>
    eventually(async () => {
      const again = await publisher.ensureTopic(name, partitions);
      assert.notEqual(again.id, topic.id);
      return again;
    }, READABLE_MS);
  return { name, topic, publisher, admin, runner, lines, ordersAre, makeAgain };
};

describe('under a running Order Service', kafka.options, () => {
  test('partitions that are added are read within 10 s, and each has its lag', async () => {
    const { name, topic, publisher, admin, runner, ordersAre } = await startSystem();
    const { brokers } = await admin.metadata({ topics: [name] });
    const assignments = Array.from({ length: 6 }, () => ({ brokerIds: [...brokers.keys()] }));
    await admin.createPartitions({ topics: [{ name, count: 8, assignments }] });
    await eventually(async () => assert.equal((await publisher.describeTopic(name))?.partitions, 8));
    await publish(publisher, { ...topic, partitions: 8 }, idsFrom(10, 40));
    await ordersAre(50);
    const { state, assigned, topicChange, positionsLost } = runner.status();
    assert.deepEqual([state, assigned.length, positionsLost], ['consuming', 8, 0]);
    assert.match(topicChange?.what ?? '', /has 8 partitions now, not 2/);
    await eventually(() => assert.deepEqual(Object.values(runner.status().lag), Array<number>(8).fill(0)));
  });

  for (const partitions of [1, 2, 4]) {
    test(`a topic made again with ${partitions} instead of 2 partitions is read from its start`, async () => {
      const { name, publisher, admin, runner, lines, ordersAre, makeAgain } = await startSystem();
      await admin.deleteTopics({ topics: [name] });
      await publish(publisher, await makeAgain(partitions), idsFrom(100, 20));
      await ordersAre(30);
      const { state, assigned, lag, topicChange } = runner.status();
      assert.deepEqual([state, assigned.length], ['consuming', partitions]);
      assert.deepEqual(
        Object.keys(lag),
        Array.from({ length: partitions }, (_, n) => String(n)),
      );
      assert.match(topicChange?.what ?? '', /deleted and made again/);
      assert.equal(lines.filter(({ msg }) => msg.includes('deleted and made again')).length, 1);
      assert.deepEqual(
        lines.filter(({ msg }) => msg.includes('cannot be reached')),
        [],
      );
    });
  }

  test('an open transaction of another producer is named with its partition, and counts as lag', async () => {
    const { name, publisher, topic, runner, ordersAre } = await startSystem();
    const foreign = new Producer({
      clientId: 'foreign-writer',
      bootstrapBrokers: [...(await kafka.address()).bootstrapServers],
      // The first transaction of a cluster waits for its coordinator to come up.
      retries: 100,
      retryDelay: 100,
      transactionalId: randomUUID(),
      idempotent: true,
      serializers: stringSerializers,
    });
    place.defer(() => foreign.close());
    const transaction = await foreign.beginTransaction();
    await transaction.send({ messages: [{ topic: name, partition: 0, key: 'key', value: 'held' }] });
    await publish(publisher, topic, idsFrom(10, 20));
    await eventually(() => assert.deepEqual(Object.keys(runner.status().heldUp), ['0']));
    const { lag, heldUp } = runner.status();
    assert.ok((lag[0] ?? 0) > 1);
    assert.equal(lag[1], 0);
    assert.match(heldUpWarnings(runner.status(), Date.now() + 6_000)[0] ?? '', /holds up partition 0 at offset/);
    await transaction.abort();
    await ordersAre(30);
    await eventually(() => assert.deepEqual([runner.status().heldUp, runner.status().lag], [{}, { 0: 0, 1: 0 }]));
    assert.ok(Date.parse(heldUp[0] ?? '') > 0);
  });

  test('a topic that is deleted is named until it exists again', async () => {
    const { name, publisher, admin, runner, lines, ordersAre, makeAgain } = await startSystem();
    await admin.deleteTopics({ topics: [name] });
    await eventually(() => assert.equal(runner.status().state, 'waiting_for_topic'), READABLE_MS);
    assert.match(runner.status().reason ?? '', /the topic was deleted/);
    assert.deepEqual(runner.status().lag, {});
    await publish(publisher, await makeAgain(3), idsFrom(100, 20));
    await ordersAre(30);
    assert.deepEqual([runner.status().state, runner.status().reason], ['consuming', null]);
    assert.equal(lines.filter(({ msg }) => msg.includes('the topic was deleted;')).length, 1);
  });
});

test(
  'a topic made beforehand with settings that endanger the record is named, setting by setting',
  kafka.options,
  async () => {
    const [broker, admin] = [await openBroker('order'), await openAdmin()];
    const name = `topic-life-${randomUUID().slice(0, 8)}`;
    const configs = [
      { name: 'cleanup.policy', value: 'compact,delete' },
      { name: 'retention.bytes', value: '1000000' },
    ];
    await assert.rejects(broker.topicWarnings(name));
    await admin.createTopics({ topics: [name], partitions: 1, replicas: 1, configs });
    const warnings = await eventually(() => broker.topicWarnings(name));
    assert.deepEqual(
      warnings.map((warning) => / has (.*?)[=:]/.exec(warning)?.[1]),
      ['cleanup.policy', 'retention.ms', 'retention.bytes'],
    );
    assert.deepEqual(await broker.topicWarnings((await broker.ensureTopic(`${name}-own`, 1)).name), []);
  },
);
