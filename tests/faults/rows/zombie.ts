import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Positions } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import { readLog } from '#tests/faults/collect.ts';
import type { Fault, Service, Stage } from '#tests/faults/fault.ts';
import { readinessOf } from '#tests/faults/readiness.ts';
import { foldDifferences, readView, untilViewHasAll } from '#tests/faults/stored_view.ts';

const GROUP = 'order-service';
/** The session time-out of a member is 10 s; after it, the group gives its partitions to others. */
const GIVEN_UP_MS = 30_000;
const SETTLED_MS = 30_000;
/** How long the group's offsets are watched after the zombie wakes up, and how often. */
const WATCHED_MS = 6_000;
const LOOK_MS = 100;
/** The time until a member learns that it has lost a partition: a heartbeat and the network. */
const HEARD_MS = 1_500;

const zombie: Fault = {
  name: 'zombie',
  title: 'two order services on one group, one stopped past its session time-out and woken',
  rounds: { full: 20, short: 1 },
  on: { broker: 'kafka' },
  env: { CONSUMER_GROUP: GROUP },

  async run(stage) {
    // The second service keeps its own folder, so from the second round on it starts with an old view.
    const dataDir = join(stage.dataDir, 'second');
    const second = await stage.start('order_service', { CONSUMER_MEMBER_ID: 'second', DATA_DIR: dataDir });
    const partitions = (await stage.broker.bounds(stage.topic)).size;
    const members = [stage.order, second];
    await eventually(() => assertShared(members, partitions), SETTLED_MS);

    second.pause();
    try {
      await eventually(async () => assert.equal((await assignedTo(stage.order)).length, partitions), GIVEN_UP_MS);
      await caughtUp(stage);
    } finally {
      second.resume();
    }
    const sights = await watch(stage);
    assert.deepEqual(movedBack(sights), [], 'the zombie moved back the offsets of partitions that it does not own');
    await eventually(() => assertShared(members, partitions), SETTLED_MS);

    const directories = [stage.storeDir, join(dataDir, 'kafka')];
    // The log is read after the views: otherwise they could have events that it does not have yet.
    const views = directories.map((directory) => readView(directory, stage.topic));
    const { entries } = await readLog(stage.broker, stage.topic);
    for (const view of views) assert.deepEqual(foldDifferences(view, entries).slice(0, 5), []);
    await assertReadable(stage, members);
    // Alone again, the first service owns every partition, and its view becomes complete.
    await second.stop();
    await eventually(async () => assert.equal((await assignedTo(stage.order)).length, partitions), SETTLED_MS);
    await untilViewHasAll(stage, SETTLED_MS);
    stage.healed();
  },
};

export const zombieRows: readonly Fault[] = [zombie];

const assignedTo = async (service: Service): Promise<readonly number[]> => (await readinessOf(service)).assigned;

/** Each partition belongs to exactly one member, and each member has some. */
const assertShared = async (members: readonly Service[], partitions: number): Promise<void> => {
  const shares = await Promise.all(members.map(assignedTo));
  assert.ok(shares.every((share) => share.length > 0));
  assert.deepEqual(
    shares.flat().toSorted((a, b) => a - b),
    Array.from({ length: partitions }, (_, partition) => partition),
  );
};

/** Waits until the group has committed everything that the log holds now. */
const caughtUp = async ({ broker, topic }: Stage): Promise<void> => {
  const bounds = await broker.bounds(topic);
  await eventually(async () => {
    const committed = await broker.committed(GROUP, topic);
    for (const [partition, { end }] of bounds) assert.ok((committed.get(partition) ?? 0) >= end);
  }, SETTLED_MS);
};

/** The group's offsets at a moment, and the partitions that the always running member believes to own. */
export interface Sight {
  readonly at: number;
  readonly committed: Positions;
  readonly owned: readonly number[];
}

const watch = async ({ broker, topic, order }: Stage): Promise<Sight[]> => {
  const sights: Sight[] = [];
  const end = performance.now() + WATCHED_MS;
  while (performance.now() < end) {
    const committed = await broker.committed(GROUP, topic);
    sights.push({ at: performance.now(), committed, owned: await assignedTo(order) });
    await sleep(LOOK_MS);
  }
  return sights;
};

/**
 * Offsets that went back although the running member owned the partition before and after: only the zombie can have
 * done that. A new owner of the partition may commit the position of its own view, which can be lower.
 */
export const movedBack = (sights: readonly Sight[]): string[] =>
  sights.flatMap((sight, index) => {
    const before = sights[index - 1];
    if (before === undefined) return [];
    const after = sights.filter(({ at }) => at >= before.at && at <= sight.at + HEARD_MS);
    return [...sight.committed].flatMap(([partition, next]) => {
      const earlier = before.committed.get(partition) ?? 0;
      const isKept = after.every(({ owned }) => owned.includes(partition));
      return next < earlier && isKept ? [`partition ${partition}: from ${earlier} to ${next}`] : [];
    });
  });

/** Every order that was answered 200 can be read from one of the members. */
const assertReadable = async ({ load }: Stage, members: readonly Service[]): Promise<void> => {
  await load.pause();
  const created = load.exchanges
    .filter(({ request, answer }) => request.kind === 'create' && answer?.status === 200)
    .slice(-200)
    .map(({ request }) => request.orderId);
  await eventually(async () => {
    for (const orderId of created) {
      const answers = await Promise.all(
        members.map(({ url }) =>
          fetch(`${url}/order-details?orderId=${orderId}`, { signal: AbortSignal.timeout(10_000) }),
        ),
      );
      await Promise.all(answers.map((answer) => answer.arrayBuffer()));
      assert.ok(
        answers.some(({ status }) => status === 200),
        `${orderId} can be read from neither`,
      );
    }
  }, SETTLED_MS);
  load.resume();
};
