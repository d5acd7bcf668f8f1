import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import { createScene, keyOf, message, messages, untilFailed, untilHandled } from './broker_scene.ts';
import type { BrokerAddress, BrokerFeatures } from './broker_under_test.ts';
import { publishAll, PUBLISH_TIMEOUT_MS } from './messages.ts';

/** A change is noticed within this time. */
const NOTICED_MS = 8_000;

/** What an administrator does to a topic under running clients. */
export const topicLifeContract = (address: () => BrokerAddress, features: BrokerFeatures): void => {
  const createAgain = async (broker: Broker, topic: Topic, partitions: number): Promise<Topic> => {
    await features.deleteTopic(address(), topic.name);
    return eventually(async () => {
      const second = await broker.ensureTopic(topic.name, partitions);
      assert.notEqual(second.id, topic.id);
      return second;
    }, NOTICED_MS);
  };

  test(
    'partitions that are added end consuming with TOPIC_CHANGED, and are consumed after',
    addedOptions(features),
    async (t) => {
      const scene = createScene(t, address());
      const [broker, publisher] = [scene.open(), scene.open()];
      const before = await scene.topic(broker, 2);
      const members = ['one', 'two'].map((memberId) => scene.member(scene.open(), before, { memberId }));
      await eventually(() => assert(members.every((member) => member.assigned()?.length === 1)), 20_000);
      await features.addPartitions?.(address(), before, 6);
      for (const member of members) await untilFailed(member, 'TOPIC_CHANGED', NOTICED_MS);
      const after = await publisher.describeTopic(before.name);
      assert.deepEqual(after, { ...before, partitions: 6 });
      const again = ['one', 'two'].map((memberId) => scene.member(scene.open(), after ?? before, { memberId }));
      await publishAll(
        publisher,
        { ...before, partitions: 6 },
        [0, 1, 2, 3, 4, 5].map((p) => message(keyOf(p, 6))),
      );
      await eventually(() => assert.equal(again.flatMap(({ handled }) => handled).length, 6), 10_000);
    },
  );

  test(
    'partitions that are added make publishing by the former number not written, soon',
    addedOptions(features),
    async (t) => {
      const scene = createScene(t, address());
      const broker = scene.open();
      const before = await scene.topic(broker, 2);
      await publishAll(broker, before, messages(4));
      await features.addPartitions?.(address(), before, 3);
      await untilTopicFault(broker, before);
      const after = await broker.describeTopic(before.name);
      assert.equal(after?.partitions, 3);
      await publishAll(broker, after ?? before, messages(10));
    },
  );

  for (const partitions of [1, 2, 4]) {
    test(`a topic of 2 partitions created again with ${partitions} ends consuming, and is noticed by publishing`, async (t) => {
      const scene = createScene(t, address());
      const [broker, admin] = [scene.open(), scene.open()];
      const before = await scene.topic(broker, 2);
      const member = scene.member(broker, before);
      const publisher = scene.open();
      await publisher.describeTopic(before.name);
      await publishAll(publisher, before, messages(4));
      await untilHandled(member, 4, 20_000);
      const after = await createAgain(admin, before, partitions);
      await untilTopicFault(publisher, before);
      await eventually(() => assert.match(String(member.failure()), /topic|partition/i), NOTICED_MS);
      assert.deepEqual(await publisher.describeTopic(before.name), after);
      await publishAll(publisher, after, messages(8));
      const again = scene.member(broker, after, { startAt: async () => new Map() });
      await eventually(() => assert(again.handled.filter(({ value }) => value !== '').length >= 8), 20_000);
      assert.equal(again.failure(), undefined);
    });
  }

  test('a deleted topic is noticed: nothing is written, and describeTopic says null', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, messages(2));
    await features.deleteTopic(address(), topic.name);
    await untilTopicFault(broker, topic);
    assert.equal(await broker.describeTopic(topic.name), null);
  });
};

const addedOptions = (features: BrokerFeatures) => ({ skip: features.addPartitions === undefined });

const untilTopicFault = (broker: Broker, topic: Topic): Promise<void> =>
  eventually(async () => {
    const fates = await broker.publish(topic, messages(4), PUBLISH_TIMEOUT_MS);
    for (const fate of fates) {
      assert(fate.kind === 'not_written', fate.kind);
      assert.equal(fate.fault, 'topic', fate.detail);
    }
  }, NOTICED_MS);
