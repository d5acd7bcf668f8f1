import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScene, keyOf, message, messages } from './broker_scene.ts';
import { messagesOf, publishAll, readAll } from './messages.ts';
import type { BrokerAddress, BrokerFeatures } from './broker_under_test.ts';

const valuesByKey = (list: readonly { key: string; value: string }[]): Map<string, string[]> =>
  new Map(
    Array.from(
      Map.groupBy(list, ({ key }) => key),
      ([key, ofKey]) => [key, ofKey.map(({ value }) => value)],
    ),
  );

/** Reading the log outside any group. */
export const readContract = (address: () => BrokerAddress, features: BrokerFeatures): void => {
  test('reading starts at the given positions, or at the earliest record of a partition left out', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 3);
    for (let partition = 0; partition < 3; partition++) {
      await publishAll(
        broker,
        topic,
        messages(10, () => keyOf(partition, 3)),
      );
    }
    const read = await readAll(
      broker,
      topic,
      new Map([
        [0, 7],
        [1, 10],
      ]),
    );
    const offsets = [0, 1, 2].map((wanted) => read.filter((m) => m.partition === wanted).map(({ offset }) => offset));
    assert.deepEqual(offsets, [[7, 8, 9], [], Array.from({ length: 10 }).keys().toArray()]);
  });

  test('reading stops at the end that the log had at the call', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, messages(3));
    const read: string[] = [];
    for await (const batch of broker.read(topic.name, new Map())) {
      read.push(...messagesOf(batch).map(({ value }) => value));
      await publishAll(broker, topic, [message('later')]);
    }
    assert.deepEqual(read, ['value-0', 'value-1', 'value-2']);
  });

  test('reading a topic without records ends at once and yields nothing', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    assert.deepEqual(await readAll(broker, await scene.topic(broker, 3)), []);
  });

  test('bounds end one past the last offset of each partition, and a batch carries the same end', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 2);
    assert.deepEqual(
      await broker.bounds(topic.name),
      new Map([0, 1].map((partition) => [partition, { start: 0, end: 0 }])),
    );
    await publishAll(
      broker,
      topic,
      messages(5, () => keyOf(1, 2)),
    );
    assert.deepEqual((await broker.bounds(topic.name)).get(1), { start: 0, end: 5 });
    const batches = await Array.fromAsync(broker.read(topic.name, new Map()));
    assert.deepEqual(batches.at(-1)?.next, 5);
    for (const batch of batches) assert.deepEqual([batch.topic, batch.partition, batch.end], [topic, 1, 5]);
  });

  test('5,000 messages in batches of 100 are read back once each, in order', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 6);
    const published = messages(5_000, (i) => `key-${i % 100}`);
    for (let i = 0; i < published.length; i += 100) await publishAll(broker, topic, published.slice(i, i + 100));
    assert.deepEqual(valuesByKey(await readAll(broker, topic)), valuesByKey(published));
  });

  test('a gap in the offsets is skipped', { skip: !features.addGap }, async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, [message('before')]);
    await features.addGap?.(address(), topic, 0);
    const [after] = await publishAll(broker, topic, [message('after')]);
    await features.addGap?.(address(), topic, 0);
    const batches = await Array.fromAsync(broker.read(topic.name, new Map()));
    const records = batches.flatMap(messagesOf);
    assert.deepEqual(
      records.filter(({ key }) => key === 'before' || key === 'after').map(({ offset }) => offset),
      [0, after?.offset],
    );
    assert(records.length < Number(batches.at(-1)?.end), 'the log has no gap');
    assert.equal(batches.at(-1)?.next, batches.at(-1)?.end);
  });
};
