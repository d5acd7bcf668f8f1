import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Positions, Topic } from '#kafka_common/broker.ts';
import { openEmbeddedGroups } from './groups.ts';

const TOPIC: Topic = { name: 't', id: 'topic-1', partitions: 3 };
const NOTHING: Positions = new Map();
const SESSION_MS = 3_000;

/** Groups whose clock a test moves. */
const scene = (t: TestContext) => {
  const directory = mkdtempSync(join(tmpdir(), 'groups-test-'));
  const groups = openEmbeddedGroups(directory);
  let nowMs = 1_000_000n;
  t.mock.method(process.hrtime, 'bigint', () => nowMs * 1_000_000n);
  t.after(() => {
    groups.close();
    rmSync(directory, { recursive: true });
  });
  const pass = (ms: number): void => {
    nowMs += BigInt(ms);
  };
  const assigned = () => [...groups.assigned('g', TOPIC)].toSorted((a, b) => a - b);
  const committed = () => [...groups.committed('g', TOPIC)];
  return { groups, pass, assigned, committed, join: (memberId: string) => groups.join('g', TOPIC, memberId) };
};

describe('the members of a group', () => {
  test('that are alone own all partitions', (t) => {
    const { assigned, join: joins } = scene(t);
    const member = joins('a');
    assert.deepEqual(assigned(), []);
    assert.deepEqual(member.heartbeat(NOTHING), [0, 1, 2]);
    assert.deepEqual([assigned(), member.owns(0), member.owns(3)], [[0, 1, 2], true, false]);
  });

  test('share the partitions, each once its former owner has released it', (t) => {
    const { join: joins } = scene(t);
    const [first, second] = [joins('a'), joins('b')];
    assert.deepEqual([first.heartbeat(NOTHING), second.heartbeat(NOTHING)], [[0, 2], [1]]);
    const third = joins('c');
    assert.deepEqual([first.heartbeat(NOTHING), third.heartbeat(NOTHING)], [[0], []]);
    first.release(2, undefined);
    assert.deepEqual([third.heartbeat(NOTHING), first.owns(2)], [[2], false]);
  });

  test('of other groups and topics are not concerned', (t) => {
    const { groups, join: joins } = scene(t);
    const others = [groups.join('h', TOPIC, 'a'), groups.join('g', { ...TOPIC, id: 'topic-2', partitions: 1 }, 'b')];
    assert.deepEqual(joins('a').heartbeat(NOTHING), [0, 1, 2]);
    assert.deepEqual(
      others.map((member) => member.heartbeat(NOTHING)),
      [[0, 1, 2], [0]],
    );
    assert.deepEqual([...groups.assigned('i', TOPIC)], []);
  });

  test('leave their partitions to the others', (t) => {
    const { join: joins, assigned } = scene(t);
    const [first, second] = [joins('a'), joins('b')];
    for (const member of [first, second]) member.heartbeat(NOTHING);
    first.leave();
    assert.deepEqual([assigned(), second.heartbeat(NOTHING)], [[1], [0, 1, 2]]);
  });

  test('without a heartbeat for more than 3 s are dead', (t) => {
    const { join: joins, pass, assigned } = scene(t);
    const [first, second] = [joins('a'), joins('b')];
    for (const member of [first, second]) member.heartbeat(NOTHING);
    pass(SESSION_MS);
    assert.deepEqual([assigned(), second.heartbeat(NOTHING)], [[0, 1, 2], [1]]);
    pass(1);
    assert.deepEqual([assigned(), second.heartbeat(NOTHING)], [[1], [0, 1, 2]]);
    assert.deepEqual(first.heartbeat(NOTHING), []);
    assert.equal(first.owns(0), false);
  });

  test('are replaced by a later process under the same member id', (t) => {
    const { join: joins } = scene(t);
    const former = joins('a');
    former.heartbeat(NOTHING);
    const present = joins('a');
    assert.throws(() => former.heartbeat(NOTHING), {
      code: 'FENCED',
      message: 'another process joined the group g as a',
    });
    assert.deepEqual(present.heartbeat(NOTHING), [0, 1, 2]);
    former.leave();
    assert.deepEqual(present.heartbeat(NOTHING), [0, 1, 2]);
  });
});

describe('the positions that a group has committed', () => {
  test('are those of the last heartbeat or release, by partition', (t) => {
    const { join: joins, committed } = scene(t);
    const member = joins('a');
    member.heartbeat(NOTHING);
    assert.deepEqual(committed(), []);
    member.heartbeat(new Map([[0, 5]]));
    assert.deepEqual(committed(), [[0, 5]]);
    member.release(0, 6);
    member.release(1, undefined);
    assert.deepEqual(committed(), [[0, 6]]);
    member.heartbeat(NOTHING);
    member.release(0, undefined);
    assert.deepEqual(committed(), [[0, 6]]);
  });

  test('are not changed by a member that does not own the partition', (t) => {
    const { join: joins, committed } = scene(t);
    const [first, second] = [joins('a'), joins('b')];
    for (const member of [first, second]) member.heartbeat(NOTHING);
    second.heartbeat(new Map([[0, 9]]));
    second.release(0, 9);
    assert.deepEqual([committed(), first.owns(0)], [[], true]);
  });
});

test('a file that fails makes every call an error of the broker', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'groups-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const groups = openEmbeddedGroups(directory);
  const member = groups.join('g', TOPIC, 'a');
  groups.close();
  const unavailable = { code: 'UNAVAILABLE' };
  for (const call of [
    () => groups.join('g', TOPIC, 'b'),
    () => groups.committed('g', TOPIC),
    () => groups.assigned('g', TOPIC),
    () => member.heartbeat(NOTHING),
    () => member.owns(0),
    () => member.release(0, 1),
    () => member.leave(),
  ])
    assert.throws(call, unavailable);
});
