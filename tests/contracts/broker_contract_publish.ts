import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderList, Topic } from '#kafka_common/broker.ts';
import { headerName } from '#kafka_common/header_names.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { eventually } from '#tests/support/eventually.ts';
import { createScene, isBrokerError, message, messages } from './broker_scene.ts';
import { publishAll, PUBLISH_TIMEOUT_MS, readAll } from './messages.ts';
import type { BrokerAddress, BrokerFeatures } from './broker_under_test.ts';
import { JAVA_HASHES } from '#tests/support/java_hashes.ts';

const KIB = 1024;

const isTopicMissing = isBrokerError('TOPIC_MISSING');

const byPosition = (a: { partition?: number; offset?: number }, b: typeof a): number =>
  Number(a.partition) - Number(b.partition) || Number(a.offset) - Number(b.offset);

/** Topics, and the fates of published messages. */
export const publishContract = (address: () => BrokerAddress, features: BrokerFeatures): void => {
  test('a topic that is missing is described as null, and calls that need it reject with TOPIC_MISSING', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    assert.equal(await broker.describeTopic(scene.topicName), null);
    await assert.rejects(broker.bounds(scene.topicName), isTopicMissing);
    await assert.rejects(broker.committed(scene.group, scene.topicName), isTopicMissing);
    await assert.rejects(broker.probe(scene.topicName, 0, PUBLISH_TIMEOUT_MS), isTopicMissing);
    await assert.rejects(Array.fromAsync(broker.read(scene.topicName, new Map())), isTopicMissing);
  });

  test('ensureTopic, called by several clients at once, creates one topic, and later calls leave it unchanged', async (t) => {
    const scene = createScene(t, address());
    const brokers = [scene.open(), scene.open(), scene.open()];
    const topics = await Promise.all(brokers.map((broker) => broker.ensureTopic(scene.topicName, 3)));
    for (const topic of topics) assert.deepEqual(topic, { name: scene.topicName, id: topics[0]?.id, partitions: 3 });
    assert.deepEqual(await brokers[0]?.ensureTopic(scene.topicName, 5), topics[0]);
    assert.deepEqual(await brokers[0]?.describeTopic(scene.topicName), topics[0]);
  });

  test('a topic deleted and created again has another id and an empty log', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const first = await scene.topic(broker);
    await publishAll(broker, first, messages(3));
    await features.deleteTopic(address(), first.name);
    const second = await eventually(async () => {
      const topic = await scene.topic(broker);
      assert.notEqual(topic.id, first.id);
      return topic;
    });
    assert.deepEqual(await broker.bounds(second.name), new Map([[0, { start: 0, end: 0 }]]));
    assert.deepEqual(await readAll(broker, second), []);
  });

  test('a message to a topic that does not exist is not written', async (t) => {
    const scene = createScene(t, address());
    const topic: Topic = { name: scene.topicName, id: '00000000-0000-4000-8000-000000000000', partitions: 1 };
    const [fate] = await scene.open().publish(topic, [message('key')], PUBLISH_TIMEOUT_MS);
    assert.equal(fate?.kind, 'not_written');
  });

  test('a message is read back as it was published: key, value and headers, in any script, empty or large', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const published = [
      message('ORD-é-漢-😀', '{"name":"Zoë 漢字 😀"}', { ce_type: 'ORDER_CREATED', 'x-ключ': 'значение 😀' }),
      message('nul\0in\0key', 'nul\0in\0value', { empty: '' }),
      message('', ''),
      message('large', 'é'.repeat(200 * KIB)),
    ];
    const before = Date.now();
    await publishAll(broker, topic, published);
    const records = (await Array.fromAsync(broker.read(topic.name, new Map()))).flatMap((batch) => batch.records);
    const readBack = records.map(({ key, value, headers }) => ({
      key: key?.toString(),
      value: value?.toString(),
      headers: Object.fromEntries(headers.map(([name, bytes]) => [name, bytes?.toString()])),
    }));
    assert.deepEqual(readBack, published);
    for (const { timestamp } of records) assert(Math.abs(timestamp - before) < 60_000, `timestamp ${timestamp}`);
  });

  test('headers are read back byte for byte: in order, with repeated names, null and any bytes', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const lists: readonly HeaderList[] = [
      [
        ['h', Buffer.from('1')],
        ['nul', null],
        ['h', Buffer.from('2')],
        ['bin', Buffer.from('ff00fe', 'hex')],
        ['', Buffer.alloc(0)],
        ['ключ', Buffer.from('значение')],
        [headerName(Buffer.from('a80cc3', 'hex')), null],
        ['__proto__', Buffer.from('x')],
        ['h', null],
      ],
      [],
    ];
    const sent = lists.map((headers) => ({ ...message('key', 'value'), headers }));
    // In one batch with a message that has its headers as texts.
    await publishAll(broker, topic, [...sent, message('key', 'value', { text: 'é' })]);
    const records = (await Array.fromAsync(broker.read(topic.name, new Map()))).flatMap((batch) => batch.records);
    assert.deepEqual(
      records.map(({ headers }) => headers),
      [...lists, [['text', Buffer.from('é')]]],
    );
  });

  test('an acknowledgement names the position at which the message is read back', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 4);
    const published = messages(100, (i) => `key-${i % 17}`);
    const positions = [
      ...(await publishAll(broker, topic, published.slice(0, 60))),
      ...(await publishAll(broker, topic, published.slice(60))),
    ];
    const expected = published.map(({ key, value }, i) => ({ ...positions[i], key, value }));
    assert.deepEqual((await readAll(broker, topic)).toSorted(byPosition), expected.toSorted(byPosition));
  });

  test('a key decides the partition as it does with the Java client', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 7);
    const keys = JAVA_HASHES.map(([key]) => message(key));
    const expected = JAVA_HASHES.map(([, hash]) => (hash & 0x7fffffff) % 7);
    assert.deepEqual(
      keys.map(({ key }) => partitionOf(key, 7)),
      expected,
    );
    assert.deepEqual(
      (await publishAll(broker, topic, keys)).map(({ partition }) => partition),
      expected,
    );
  });

  test('publishing again before the last call has settled keeps the order of the calls', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const calls = Array.from({ length: 20 }, (_, call) => publishAll(broker, topic, [message('key', `${call}`)]));
    await Promise.all(calls);
    assert.deepEqual(
      (await readAll(broker, topic)).map(({ value }) => Number(value)),
      Array.from(calls.keys()),
    );
  });

  test('publishing no message settles with no fate', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    assert.deepEqual(await broker.publish(await scene.topic(broker), [], PUBLISH_TIMEOUT_MS), []);
  });

  test('a message over 1 MiB is not written, and the others of its batch are', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const batch = messages(9).with(4, message('large', 'x'.repeat(1024 * KIB + 1)));
    const fates = await broker.publish(topic, batch, PUBLISH_TIMEOUT_MS);
    assert.deepEqual(
      fates.map(({ kind }) => kind),
      batch.map(({ key }) => (key === 'large' ? 'not_written' : 'acknowledged')),
    );
    assert.deepEqual(
      (await readAll(broker, topic)).map(({ key }) => key),
      batch.map(({ key }) => key).toSpliced(4, 1),
    );
  });

  test('a batch of several MiB for one partition is acknowledged whole, in order', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const batch = Array.from({ length: 40 }, (_, i) => message('key', `${i}:${'x'.repeat(100 * KIB)}`));
    const positions = await publishAll(broker, topic, batch);
    assert.deepEqual(
      positions.map(({ offset }) => offset),
      Array.from(batch.keys()),
    );
    assert.deepEqual(
      (await readAll(broker, topic)).map(({ value }) => value),
      batch.map(({ value }) => value),
    );
  });

  test('a client killed while it publishes leaves every acknowledged message in the log', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const publisher = scene.process({ kind: 'publish' });
    await eventually(() => assert(publisher.reports.length > 50));
    await publisher.kill();
    const acknowledged = publisher.reports.flatMap((report) => (report.kind === 'acknowledged' ? report.messages : []));
    const read = new Map((await readAll(broker, topic)).map((record) => [record.offset, record]));
    for (const sent of acknowledged) assert.deepEqual(read.get(sent.offset), sent);
  });

  test('a partition whose leader answers passes the probe', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await broker.probe(topic.name, broker.leaderOf(topic.name, 0), PUBLISH_TIMEOUT_MS);
  });
};
