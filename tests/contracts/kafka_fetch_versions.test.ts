import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Admin, ConnectionPool, Producer, stringSerializers } from '@platformatic/kafka';
import { test } from 'node:test';
import { FETCH_VERSIONS, fetchFrom } from '#kafka_common/kafka/wire/fetch_api.ts';
import { readRecords } from '#kafka_common/kafka/wire/read_records.ts';
import { createScene } from './broker_scene.ts';
import { kafkaOfFile } from './kafka_under_test.ts';

/** Older brokers, and those of other makes, know only older versions of Fetch. This Kafka answers all of them. */

const shared = await kafkaOfFile();

for (const version of [undefined, ...FETCH_VERSIONS]) {
  const name = version === undefined ? 'the newest Fetch that both know' : `Fetch ${version}`;
  test(`${name} returns committed records only, by topic and position`, shared.options, async (t) => {
    const { bootstrapServers } = await shared.address();
    const scene = createScene(t, await shared.address());
    const topic = await scene.topic(scene.open());
    const common = {
      clientId: 'fetch-versions',
      bootstrapBrokers: [...bootstrapServers],
      retries: 100,
      retryDelay: 100,
    };
    const producer = new Producer({
      ...common,
      transactionalId: randomUUID(),
      idempotent: true,
      serializers: stringSerializers,
    });
    scene.after(() => producer.close());
    for (const [value, end] of [
      ['aborted', 'abort'],
      ['committed', 'commit'],
    ] as const) {
      const transaction = await producer.beginTransaction();
      await transaction.send({ messages: [{ topic: topic.name, partition: 0, key: 'key', value }] });
      await transaction[end]();
    }
    const admin = new Admin(common);
    scene.after(() => admin.close());
    const { brokers, topics } = await admin.metadata({ topics: [topic.name] });
    const leader = brokers.get(topics.get(topic.name)?.partitions[0]?.leader ?? -1);
    assert(leader);
    const pool = new ConnectionPool('fetch-versions');
    scene.after(() => pool.close());

    const answers = await fetchFrom(await pool.get(leader), {
      topic,
      positions: [{ partition: 0, next: 0 }],
      waitMs: 5_000,
      partitionBytes: 100_000,
      bytes: 100_000,
      ...(version !== undefined && { version }),
    });
    const [answer, ...others] = answers;
    assert(answer);
    assert.deepEqual([answer.partition, answer.errorCode, Number(answer.highWatermark), others.length], [0, 0, 4, 0]);
    const read = await readRecords(answer.records, answer.abortedTransactions, 0);
    assert.deepEqual(
      read?.records.map(({ offset, value }) => [offset, String(value)]),
      [[2, 'committed']],
    );
    assert.equal(read?.next, 4);
  });
}
