import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { eventually } from '#tests/support/eventually.ts';
import { createScene, keyOf, message, messages, untilAssigned, untilFailed, untilHandled } from './broker_scene.ts';
import { publishAll } from './messages.ts';
import type { BrokerAddress, BrokerFeatures } from './broker_under_test.ts';

const startAt = (positions: readonly (readonly [number, number])[]) => async () => new Map(positions);

/** One member alone: the batches it gets, and the offsets that are committed for it. */
export const consumeContract = (address: () => BrokerAddress, features: BrokerFeatures): void => {
  test('a member gets the records from its positions on, and those of a partition left out from the earliest on', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 2);
    for (const partition of [0, 1])
      await publishAll(
        broker,
        topic,
        messages(5, () => keyOf(partition, 2)),
      );
    const member = scene.member(broker, topic, { startAt: startAt([[0, 3]]) });
    await untilHandled(member, 7);
    const offsetsIn = (wanted: number) => member.handled.filter((m) => m.partition === wanted).map((m) => m.offset);
    assert.deepEqual(
      [offsetsIn(0), offsetsIn(1)],
      [
        [3, 4],
        [0, 1, 2, 3, 4],
      ],
    );
  });

  test('startAt is called once for all partitions of an assignment, with the topic as it is', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 4);
    const asked: unknown[] = [];
    const member = scene.member(broker, topic, {
      startAt: async (...call) => {
        asked.push(call);
        return new Map();
      },
    });
    await untilAssigned(member, [0, 1, 2, 3]);
    assert.deepEqual(asked, [[topic, [0, 1, 2, 3]]]);
  });

  test('a member that waits at the end gets what another client publishes, in order of each key', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 3);
    const member = scene.member(broker, topic);
    await untilAssigned(member, [0, 1, 2]);
    const producer = scene.open();
    const published = messages(60, (i) => `key-${i % 7}`);
    for (let i = 0; i < published.length; i += 20) {
      await publishAll(producer, topic, published.slice(i, i + 20));
      await untilHandled(member, i + 20);
    }
    for (const { key } of published) {
      const valuesOfKey = (list: readonly { key: string; value: string }[]) =>
        list.filter((m) => m.key === key).map(({ value }) => value);
      assert.deepEqual(valuesOfKey(member.handled), valuesOfKey(published));
    }
  });

  test('5,000 messages in the log are handled once each, in consecutive batches of one partition', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 3);
    for (let i = 0; i < 50; i++)
      await publishAll(
        broker,
        topic,
        messages(100, (n) => `key-${n}`),
      );
    const position = new Map<number, number>();
    const member = scene.member(broker, topic, {
      onBatch: async ({ partition, records, next, end }) => {
        for (const { offset } of records) {
          assert.equal(offset, position.get(partition) ?? 0);
          position.set(partition, offset + 1);
        }
        assert.equal(next, position.get(partition));
        assert(end >= next);
      },
    });
    await untilHandled(member, 5_000);
    await member.stop();
  });

  test('a partition has one batch in hand at a time', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 2);
    const inHand = new Set<number>();
    const member = scene.member(broker, topic, {
      onBatch: async ({ partition }) => {
        assert(!inHand.has(partition));
        inHand.add(partition);
        for (let i = 0; i < 20; i++) await setImmediate();
        inHand.delete(partition);
      },
    });
    await untilAssigned(member, [0, 1]);
    for (let i = 0; i < 50; i++) await publishAll(broker, topic, messages(4));
    await untilHandled(member, 200);
    await member.stop();
  });

  test('a handled batch is committed while the member goes on, and one in hand is not', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const gate = Promise.withResolvers<void>();
    const member = scene.member(broker, topic, {
      onBatch: async ({ records }) => {
        if (records.at(-1)?.offset !== 0) await gate.promise;
      },
    });
    await publishAll(broker, topic, [message('first')]);
    await untilHandled(member, 1);
    await publishAll(broker, topic, [message('second')]);
    await eventually(async () => assert.deepEqual(await broker.committed(scene.group, topic.name), new Map([[0, 1]])));
    gate.resolve();
    await eventually(async () => assert.deepEqual(await broker.committed(scene.group, topic.name), new Map([[0, 2]])));
  });

  test('stopping lets the batch in hand finish, commits it, and resolves', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, messages(3));
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const member = scene.member(broker, topic, {
      onBatch: () => {
        begun.resolve();
        return gate.promise;
      },
    });
    await begun.promise;
    const stopped = member.stop();
    assert.equal(await Promise.race([stopped.then(() => 'stopped'), setImmediate('in hand')]), 'in hand');
    gate.resolve();
    await stopped;
    const committed = (await broker.committed(scene.group, topic.name)).get(0);
    assert.equal(committed, Number(member.handled.at(-1)?.offset) + 1);
  });

  test('consuming with a signal that has already aborted resolves and handles nothing', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, messages(3));
    await broker.consume({
      topic: topic.name,
      group: scene.group,
      memberId: 'member',
      startAt: startAt([]),
      onBatch: () => assert.fail('a batch after the abort'),
      signal: AbortSignal.abort(),
    });
  });

  test('an error of onBatch ends consuming with it, and the next member gets the batch again', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, messages(3));
    const failure = new Error('the store is full');
    const failing = scene.member(broker, topic, { onBatch: () => Promise.reject(failure) });
    await eventually(() => assert.equal(failing.failure(), failure));
    assert.equal((await broker.committed(scene.group, topic.name)).get(0) ?? 0, 0);
    const next = scene.member(broker, topic);
    await untilHandled(next, 3);
  });

  test('an error of startAt ends consuming with it', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const failure = new Error('the store failed');
    const member = scene.member(broker, await scene.topic(broker), { startAt: () => Promise.reject(failure) });
    await eventually(() => assert.equal(member.failure(), failure));
  });

  test('a member stopped and started again goes on from the committed offset', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, messages(3));
    const first = scene.member(broker, topic);
    await untilHandled(first, 3);
    await first.stop();
    await publishAll(broker, topic, messages(2));
    const second = scene.member(broker, topic);
    await eventually(() =>
      assert.deepEqual(
        second.handled.map(({ offset }) => offset),
        [3, 4],
      ),
    );
  });

  test('a position beyond the end is reported lost, and consuming goes on from the earliest', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, messages(3));
    const member = scene.member(broker, topic, { startAt: startAt([[0, 1_000]]) });
    await eventually(() =>
      assert.deepEqual(
        member.handled.map(({ offset }) => offset),
        [0, 1, 2],
      ),
    );
    assert.deepEqual(member.lost, [{ partition: 0, wanted: 1_000, resumedAt: 0 }]);
  });

  test('consuming a topic that is missing rejects with TOPIC_MISSING, and works once the topic exists', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const missing = scene.member(broker, { name: scene.topicName, id: '', partitions: 1 });
    await untilFailed(missing, 'TOPIC_MISSING');
    const producer = scene.open();
    const topic = await scene.topic(producer);
    await publishAll(producer, topic, messages(3));
    const member = scene.member(broker, topic);
    await untilHandled(member, 3);
  });

  test('a gap at the end of the log leaves no lag', { skip: !features.addGap }, async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, messages(2));
    await features.addGap?.(address(), topic, 0);
    const member = scene.member(broker, topic);
    const end = (await broker.bounds(topic.name)).get(0)?.end;
    await eventually(async () =>
      assert.deepEqual(await broker.committed(scene.group, topic.name), new Map([[0, end]])),
    );
    await member.stop();
  });
};
