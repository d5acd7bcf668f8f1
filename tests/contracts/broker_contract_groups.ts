import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Topic } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import {
  createScene,
  keyOf,
  type Member,
  message,
  messages,
  untilAssigned,
  untilFailed,
  untilHandled,
} from './broker_scene.ts';
import { publishAll } from './messages.ts';
import type { BrokerAddress, BrokerFeatures } from './broker_under_test.ts';

/** A restarted member gets its partitions back well before its session ends. */
const RESTART_MS = 2_500;

/** Until then two members with one id may both work. */
const FENCED_MS = 5_000;

const oneForEachPartition = (topic: Topic, value: string) =>
  Array.from({ length: topic.partitions }, (_, partition) => message(keyOf(partition, topic.partitions), value));

const untilShared = (members: readonly Member[], partitions: number, withinMs?: number): Promise<void> =>
  eventually(() => {
    const shares = members.map((member) => member.assigned() ?? []);
    for (const share of shares) assert(share.length > 0);
    assert.deepEqual(
      shares.flat().toSorted((a, b) => a - b),
      Array.from({ length: partitions }).keys().toArray(),
    );
  }, withinMs);

/** Several members, and several groups. */
export const groupContract = (address: () => BrokerAddress, features: BrokerFeatures): void => {
  test('two groups each get all records of a topic, and commit separately', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    await publishAll(broker, topic, messages(3));
    const groups = [`${scene.group}-1`, `${scene.group}-2`];
    const members = groups.map((group) => scene.member(broker, topic, { group }));
    for (const member of members) await untilHandled(member, 3);
    await members[0]?.stop();
    assert.deepEqual(await broker.committed(`${scene.group}-1`, topic.name), new Map([[0, 3]]));
    assert.deepEqual(await broker.committed(`${scene.group}-3`, topic.name), new Map());
  });

  test('two members of a group share the partitions, and each message goes only to the owner', async (t) => {
    const scene = createScene(t, address());
    const [broker, other] = [scene.open(), scene.open()];
    const topic = await scene.topic(broker, 4);
    const first = scene.member(broker, topic, { memberId: 'first' });
    await untilAssigned(first, [0, 1, 2, 3]);
    const second = scene.member(other, topic, { memberId: 'second' });
    await untilShared([first, second], 4);
    await publishAll(broker, topic, oneForEachPartition(topic, 'shared'));
    await eventually(() => assert.equal(first.handled.length + second.handled.length, 4));
    for (const member of [first, second]) {
      for (const { partition } of member.handled) assert(member.assigned()?.includes(partition));
    }
  });

  test('the partitions that members own are known to every client, and those that nobody owns', async (t) => {
    const scene = createScene(t, address());
    const [broker, other] = [scene.open(), scene.open()];
    const topic = await scene.topic(broker, 3);
    const assigned = async (group = scene.group) =>
      [...(await other.assignedIn(group, topic.name))].toSorted((a, b) => a - b);
    assert.deepEqual(await assigned(), []);
    const members = ['first', 'second'].map((memberId) => scene.member(broker, topic, { memberId }));
    await untilShared(members, 3);
    await eventually(async () => assert.deepEqual(await assigned(), [0, 1, 2]));
    assert.deepEqual(await assigned(`${scene.group}-other`), []);
    for (const member of members) await member.stop();
    await eventually(async () => assert.deepEqual(await assigned(), []));
  });

  test('a member that leaves hands its partitions over, at the positions it reached', async (t) => {
    const scene = createScene(t, address());
    const [broker, other] = [scene.open(), scene.open()];
    const topic = await scene.topic(broker, 4);
    const leaving = scene.member(broker, topic, { memberId: 'leaving' });
    const staying = scene.member(other, topic, { memberId: 'staying' });
    await untilShared([leaving, staying], 4);
    await publishAll(broker, topic, oneForEachPartition(topic, 'before'));
    await eventually(() => assert.equal(leaving.handled.length + staying.handled.length, 4));
    await leaving.stop();
    await untilAssigned(staying, [0, 1, 2, 3]);
    await publishAll(broker, topic, oneForEachPartition(topic, 'after'));
    await eventually(() => assert.equal(leaving.handled.length + staying.handled.length, 8));
  });

  test('a member killed in the middle of a batch loses its partitions to the other, which gets the batch', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 4);
    const survivor = scene.member(broker, topic, { memberId: 'survivor' });
    const victim = scene.process({ kind: 'consume', memberId: 'victim' });
    await eventually(() => {
      assert(victim.reports.some((report) => report.kind === 'assigned' && report.partitions.length > 0));
      assert(Number(survivor.assigned()?.length) < 4);
    });
    await publishAll(broker, topic, oneForEachPartition(topic, 'in hand'));
    await eventually(() => assert(victim.reports.some((report) => report.kind === 'in_hand')));
    await victim.kill();
    await untilAssigned(survivor, [0, 1, 2, 3], features.takeoverMs);
    await untilHandled(survivor, 4);
  });

  test('a member killed in the middle of a batch, and started again under its id, gets the batch at once', async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 4);
    await publishAll(
      broker,
      topic,
      messages(3, () => keyOf(0, 4)),
    );
    const victim = scene.process({ kind: 'consume', memberId: 'member' });
    await eventually(() => assert(victim.reports.some((report) => report.kind === 'in_hand')));
    await victim.kill();
    const restarted = scene.member(broker, topic, { memberId: 'member' });
    await untilHandled(restarted, 3, RESTART_MS);
    assert.deepEqual(restarted.assigned(), [0, 1, 2, 3]);
  });

  test('a member is fenced when another process joins under its id, and the newer one gets the partitions', async (t) => {
    const scene = createScene(t, address());
    const [broker, other] = [scene.open(), scene.open()];
    const topic = await scene.topic(broker, 2);
    const older = scene.member(broker, topic, { memberId: 'twin' });
    await untilAssigned(older, [0, 1]);
    const newer = scene.member(other, topic, { memberId: 'twin' });
    await untilFailed(older, 'FENCED', FENCED_MS);
    await untilAssigned(newer, [0, 1]);
    await publishAll(broker, topic, oneForEachPartition(topic, 'after'));
    await untilHandled(newer, 2);
    assert.equal(older.handled.length, 0);
  });

  test('members beyond the number of partitions own none, and take over when one leaves', async (t) => {
    const scene = createScene(t, address());
    const brokers = [scene.open(), scene.open()];
    const topic = await scene.topic(scene.open(), 1);
    const members = brokers.map((broker, i) => scene.member(broker, topic, { memberId: `member-${i}` }));
    const owners = () => members.filter((member) => member.assigned()?.length === 1);
    await eventually(() => {
      assert(members.every((member) => member.assigned() !== null));
      assert.equal(owners().length, 1);
    });
    const [owner] = owners();
    const idle = members.find((member) => member !== owner);
    await owner?.stop();
    assert(idle);
    await untilAssigned(idle, [0]);
  });
};
