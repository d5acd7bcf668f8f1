import assert from 'node:assert/strict';
import { Admin } from '@platformatic/kafka';
import { test } from 'node:test';
import type { Fate, Topic } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import { createScene, keyOf, message, type Scene } from './broker_scene.ts';
import { kafkaOfFile } from './kafka_under_test.ts';
import { PUBLISH_TIMEOUT_MS, readAll } from './messages.ts';

/** What real Kafka refuses of a message for what it is. It says nothing of the broker, and it is certain. */

const shared = await kafkaOfFile();

const topicWith = async (scene: Scene, name: string, value: string, partitions = 1): Promise<Topic> => {
  const bootstrapBrokers = [...(await shared.address()).bootstrapServers];
  const admin = new Admin({ clientId: 'administrator', bootstrapBrokers });
  await admin.createTopics({ topics: [scene.topicName], partitions, replicas: 1, configs: [{ name, value }] });
  await admin.close();
  const broker = scene.open();
  return eventually(() => scene.topic(broker, partitions));
};

const kindsOf = (fates: readonly Fate[]): string[] =>
  fates.map((fate) => (fate.kind === 'not_written' ? `${fate.kind}: ${fate.fault}` : fate.kind));

test(
  'of 30 messages the 3 that are larger than the topic takes are refused for themselves alone',
  shared.options,
  async (t) => {
    const scene = createScene(t, await shared.address());
    const topic = await topicWith(scene, 'max.message.bytes', '2000', 2);
    const broker = scene.open();
    const batch = Array.from({ length: 30 }, (_, i) =>
      message(keyOf(i % 2, 2), i % 10 === 7 ? 'x'.repeat(3_000) : `${i}`),
    );
    const fates = await broker.publish(topic, batch, PUBLISH_TIMEOUT_MS);
    assert.deepEqual(
      kindsOf(fates),
      batch.map(({ value }) => (value.length > 100 ? 'not_written: message' : 'acknowledged')),
    );
    const read = await readAll(broker, topic);
    assert.equal(read.length, 27);
    for (const partition of [0, 1]) {
      const numbers = read.filter((m) => m.partition === partition).map(({ value }) => Number(value));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    }
  },
);

test(
  'a timestamp that the topic refuses is certainly not written, and a fault of the message',
  shared.options,
  async (t) => {
    const scene = createScene(t, await shared.address());
    const topic = await topicWith(scene, 'message.timestamp.before.max.ms', '1000');
    const broker = scene.open();
    // A clock that is a minute slow: within the broker's millisecond, a right one would be taken.
    const now = Date.now.bind(Date);
    t.mock.method(Date, 'now', () => now() - 60_000);
    for (const count of [1, 3]) {
      const batch = Array.from({ length: count }, (_, i) => message(`key-${i}`));
      const fates = await broker.publish(topic, batch, PUBLISH_TIMEOUT_MS);
      assert.deepEqual(
        kindsOf(fates),
        batch.map(() => 'not_written: message'),
        JSON.stringify(fates),
      );
    }
    assert.deepEqual(await readAll(broker, topic), []);
  },
);
