import assert from 'node:assert/strict';
import { Admin, type CompressionAlgorithmValue, Producer } from '@platformatic/kafka';
import { test } from 'node:test';
import type { LogRecord, Topic } from '#kafka_common/broker.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import { createScene, type Scene, untilHandled } from './broker_scene.ts';
import { kafkaOfFile } from './kafka_under_test.ts';

/** Records that no well-meaning producer writes, on real Kafka: each concerns itself alone. */

const shared = await kafkaOfFile();

const LARGEST = 2n ** 63n - 1n;

const connection = async () => ({
  clientId: 'foreign-writer',
  bootstrapBrokers: [...(await shared.address()).bootstrapServers],
});

const wildTopic = async (scene: Scene): Promise<Topic> => {
  const admin = new Admin(await connection());
  const limits = ['message.timestamp.after.max.ms', 'message.timestamp.before.max.ms'];
  const configs = limits.map((name) => ({ name, value: String(LARGEST) }));
  await admin.createTopics({ topics: [scene.topicName], partitions: 1, replicas: 1, configs });
  await admin.close();
  return scene.topic(scene.open());
};

interface WildMessage {
  readonly value: Buffer;
  readonly key?: Buffer;
  readonly timestamp?: bigint;
}

const write = async (
  topic: Topic,
  messages: readonly WildMessage[],
  compression: CompressionAlgorithmValue = 'none',
) => {
  const producer = new Producer({ ...(await connection()), requestTimeout: 30_000 });
  try {
    await producer.send({ messages: messages.map((m) => ({ topic: topic.name, partition: 0, ...m })), compression });
  } finally {
    await producer.close();
  }
};

const recordsOf = async (scene: Scene, topic: Topic): Promise<LogRecord[]> =>
  (await Array.fromAsync(scene.open().read(topic.name, new Map()))).flatMap(({ records }) => records);

const TIMES = [1_795_773_600_000_000_000n, LARGEST, -1n, 8_640_000_000_000_001n, 0n];

test('a record timestamp is bounded to what a date can hold', shared.options, async (t) => {
  const scene = createScene(t, await shared.address());
  const topic = await wildTopic(scene);
  for (const timestamp of TIMES) await write(topic, [{ value: Buffer.from('wild'), timestamp }]);
  await write(
    topic,
    TIMES.map((timestamp) => ({ value: Buffer.from('wild'), timestamp })),
  );
  const records = await recordsOf(scene, topic);
  assert.equal(records.length, 2 * TIMES.length);
  for (const { timestamp } of records) {
    assert(Number.isSafeInteger(timestamp), String(timestamp));
    assert.doesNotThrow(() => new Date(timestamp).toISOString());
  }
});

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`records are read as they were written, compressed by ${compression}`, shared.options, async (t) => {
    const scene = createScene(t, await shared.address());
    const topic = await wildTopic(scene);
    const messages = Array.from({ length: 500 }, (_, i) => ({
      key: Buffer.from(`key-${i}`),
      value: Buffer.from(`${i}: ${'text '.repeat(i)}`),
    }));
    await write(topic, messages, compression);
    const read = await recordsOf(scene, topic);
    assert.deepEqual(
      read.map(({ key, value }) => [String(key), String(value)]),
      messages.map(({ key, value }) => [String(key), String(value)]),
    );
  });
}

for (const compression of ['gzip', 'zstd', 'lz4', 'snappy'] as const) {
  test(`a decompression bomb in ${compression} concerns itself alone`, shared.options, async (t) => {
    const scene = createScene(t, await shared.address());
    const topic = await wildTopic(scene);
    const size = compression === 'snappy' ? 10_000_000 : 100_000_000;
    await write(topic, [{ key: Buffer.from('bomb'), value: Buffer.alloc(size) }], compression);
    await write(topic, [{ value: Buffer.from('good') }]);
    const [bomb, good, ...others] = await recordsOf(scene, topic);
    assert.deepEqual(others, []);
    assert(bomb !== undefined && good !== undefined);
    assert.equal(String(good.value), 'good');
    assert.equal(bomb.offset, 0);
    assert((bomb.value?.length ?? 0) <= 65_536);
    const decoded = decodeEvent(bomb);
    assert(decoded.kind === 'invalid');
    assert.match(decoded.reason, /bytes/);
    const live = scene.member(scene.open(), topic);
    await untilHandled(live, 2, 15_000);
  });
}

test(
  'a batch that becomes far larger than memory should hold is read in parts, each record once',
  shared.options,
  async (t) => {
    const scene = createScene(t, await shared.address());
    const topic = await wildTopic(scene);
    const values = Array.from({ length: 60 }, (_, i) => Buffer.concat([Buffer.from(`${i}:`), Buffer.alloc(900_000)]));
    await write(
      topic,
      values.map((value) => ({ value })),
      'zstd',
    );
    const read = await recordsOf(scene, topic);
    assert.deepEqual(
      read.map(({ offset, value }) => [offset, value?.length]),
      values.map((value, i) => [i, value.length]),
    );
  },
);
