import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { partitionOf } from '#kafka_common/partitioner.ts';
import type { Exchange } from '#tests/checker/evidence.ts';
import { eventually } from '#tests/support/eventually.ts';
import type { KafkaBroker } from '#tests/kafka/apache_kafka.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { withoutSignals } from './needs_signals.ts';

/** Three brokers, with replication 3 and `min.insync.replicas` 2. */

const GONE_MS = 12_000;
/**
 * Every partition waits until the dead broker has left the in-sync replicas, because all of them must acknowledge. That
 * takes the time-outs of `QUICK_TO_FENCE`, and an election if the broker was the controller.
 */
const OUT_OF_SYNC_MS = 6_000;
/** The least time of an outage that is left after that, in which orders of the other leaders must succeed. */
const LEFT_MS = 2_000;
const P99_MS = 250;
const IN_SYNC_MS = 60_000;

interface Outage {
  readonly from: number;
  readonly to: number;
  /** The leader of each partition before the outage. */
  readonly leaders: readonly number[];
  readonly victim: number;
}

const oneGone = (
  name: string,
  title: string,
  leave: (broker: KafkaBroker) => Promise<void>,
  comeBack: (broker: KafkaBroker) => Promise<void>,
): Fault => {
  const p99s: number[] = [];
  const longest: number[] = [];
  const failures: string[] = [];
  let refusedInSync = 0;
  let asked = 0;
  return {
    name: `cluster-${name}`,
    title: `${title}: the orders of the other leaders go on`,
    rounds: { full: 7, short: 1 },
    on: { broker: 'cluster' },
    cannotRun: withoutSignals,
    async run(stage, round) {
      const leaders = await leadersOf(stage);
      const victim = busiestOf(leaders);
      const broker = stage.kafka[victim - 1];
      assert.ok(broker);
      const from = performance.now();
      await leave(broker);
      await sleep(GONE_MS);
      const to = performance.now();
      await comeBack(broker);
      stage.healed();

      const others = ofOtherLeaders(stage.load.exchanges, { from, to, leaders, victim });
      const outOfSync = from + Math.min(OUT_OF_SYNC_MS * stage.patience, GONE_MS - LEFT_MS);
      const after = others.filter(({ askedAt }) => askedAt > outOfSync);
      assert.ok(after.length > 0, 'no request was sent');
      longest.push(Math.max(...others.map(timeOf)));
      p99s.push(p99(after.map(timeOf)));
      refusedInSync += others.filter(isRefused).length - after.filter(isRefused).length;
      asked += others.length;
      const refused = after.filter(isRefused);
      for (const { request, answer, askedAt } of refused.slice(0, 3))
        failures.push(
          `round ${round + 1}: ${JSON.stringify({ request, answer })} ${(askedAt - from).toFixed(0)} ms after the fault, one of ${refused.length} of ${after.length}`,
        );
      await untilAllAreInSync(stage);
    },
    // oxlint-disable-next-line require-await -- the interface is asynchronous
    async finish(stage) {
      stage.note(
        `orders of the other leaders: ${refusedInSync} of ${asked} answered 503, all while the dead broker counted as in sync; then p99 ${Math.max(...p99s).toFixed(0)} ms; longest answer ${Math.max(...longest).toFixed(0)} ms`,
      );
      assert.deepEqual(failures, [], 'orders of other leaders were refused');
      assert.ok(
        Math.max(...p99s) < P99_MS * stage.patience,
        `p99 of the other leaders: ${p99s.map((ms) => ms.toFixed(0)).join(', ')} ms`,
      );
    },
  };
};

const twoKilled: Fault = {
  name: 'cluster-two-killed',
  title: 'two of three brokers killed: writes answer 503, reads go on',
  rounds: { full: 6, short: 1 },
  on: { broker: 'cluster' },
  async run(stage, round) {
    const [first, second] = stage.kafka.filter((_, index) => index !== round % stage.kafka.length);
    assert.ok(first && second);
    await Promise.all([first.kill(), second.kill()]);
    const from = performance.now();
    await sleep(GONE_MS / 2);
    const to = performance.now();
    await Promise.all([first.restart(), second.restart()]);
    stage.healed();
    const asked = stage.load.exchanges.filter(({ askedAt, endedAt }) => askedAt > from && endedAt < to);
    for (const { request, answer } of asked) {
      const what = `${JSON.stringify(request)} was answered ${JSON.stringify(answer)}`;
      if (request.kind === 'read') assert.ok(answer?.status === 200 || answer?.status === 404, what);
      else
        assert.ok(answer !== null && (answer.status !== 503 || answer.outcome !== null) && answer.status !== 200, what);
    }
    await untilAllAreInSync(stage);
  },
};

/** Waits until all replicas are in sync: only then another broker may fail. */
const untilAllAreInSync = async ({ kafka, topic }: Stage): Promise<void> => {
  const bootstrapBrokers = kafka.map(({ bootstrapServers }) => bootstrapServers);
  const admin = new Admin({ clientId: 'in-sync', bootstrapBrokers });
  try {
    await eventually(async () => {
      const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
      for (const { isr } of topics.get(topic)?.partitions ?? []) assert.equal(isr.length, kafka.length);
    }, IN_SYNC_MS);
  } finally {
    await admin.close();
  }
};

/** The broker that leads most partitions. After an outage a broker may lead none, and its loss would show nothing. */
const busiestOf = (leaders: readonly number[]): number => {
  const counts = Map.groupBy(leaders, (leader) => leader);
  return [...counts].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? 1;
};

const leadersOf = async ({ broker, topic }: Stage): Promise<number[]> => {
  const found = await broker.describeTopic(topic);
  assert.ok(found);
  return Array.from({ length: found.partitions }, (_, partition) => broker.leaderOf(topic, partition));
};

const ofOtherLeaders = (exchanges: readonly Exchange[], { from, to, leaders, victim }: Outage): Exchange[] =>
  exchanges.filter(
    ({ request, askedAt, endedAt }) =>
      request.kind !== 'read' &&
      askedAt > from &&
      endedAt < to &&
      leaders[partitionOf(request.orderId, leaders.length)] !== victim,
  );

const isRefused = ({ answer }: Exchange): boolean => answer === null || answer.status >= 500;

const timeOf = ({ askedAt, endedAt }: Exchange): number => endedAt - askedAt;

const p99 = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;

export const clusterRows: readonly Fault[] = [
  oneGone(
    'one-killed',
    `one of three brokers killed for ${GONE_MS / 1_000} s`,
    (broker) => broker.kill(),
    (broker) => broker.restart(),
  ),
  oneGone(
    'one-stopped',
    `one of three brokers SIGSTOPped for ${GONE_MS / 1_000} s`,
    (broker) => broker.pause(),
    (broker) => broker.resume(),
  ),
  twoKilled,
];
