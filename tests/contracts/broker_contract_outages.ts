import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Broker, Fate, Topic } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import {
  createScene,
  isBrokerError,
  message,
  messages,
  type Scene,
  untilFailed,
  untilHandled,
} from './broker_scene.ts';
import { messagesOf, publishAll, readAll, type ReadMessage } from './messages.ts';
import type { BreakableBroker, BrokerFeatures } from './broker_under_test.ts';

const TIMEOUT_MS = 2_000;
/** How much longer than its time-out a call may take, on a busy machine. */
const GRACE_MS = 500;
const PAUSE_MS = 10_000;
/** From the broker's return until everything works again. */
const RECOVERY_MS = 20_000;

const isUnavailable = isBrokerError('UNAVAILABLE');

/** Publishes and checks that the call settles in time. */
const publishInTime = async (broker: Broker, topic: Topic, value: string): Promise<Fate> => {
  const start = performance.now();
  const [fate] = await broker.publish(topic, [message('key', value)], TIMEOUT_MS);
  const ms = performance.now() - start;
  assert(ms < TIMEOUT_MS + GRACE_MS, `settled after ${ms} ms`);
  assert(fate);
  return fate;
};

const untilPublished = (broker: Broker, topic: Topic, value: string): Promise<void> =>
  eventually(async () => assert.equal((await publishInTime(broker, topic, value)).kind, 'acknowledged'), RECOVERY_MS);

/** Consumes as a service does: again after each failure, from its last position, until it is stopped. */
const keepConsuming = (scene: Scene, broker: Broker, topic: Topic) => {
  const stopping = new AbortController();
  const handled: ReadMessage[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const consume = (): Promise<void> =>
    broker.consume({
      topic: topic.name,
      group: scene.group,
      memberId: 'member',
      startAt: async () => new Map([[0, next]]),
      onBatch: async (batch) => {
        handled.push(...messagesOf(batch));
        next = batch.next;
      },
      signal: stopping.signal,
    });
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await consume().catch((error: unknown) => failures.push(error));
      await setTimeout(100);
    }
  };
  const ended = run();
  scene.after(async () => {
    stopping.abort();
    await ended;
  });
  return {
    failures,
    untilHandled: (value: string): Promise<void> =>
      eventually(() => assert.equal(handled.at(-1)?.value, value), RECOVERY_MS),
  };
};

/** A broker that is absent, killed or paused. No other suite uses it. */
export const outageContract = (name: string, outages: NonNullable<BrokerFeatures['outages']>): void => {
  describe(`${name} as a broker that can be lost`, { timeout: 120_000, ...outages.options }, () => {
    let broken: BreakableBroker;

    before(async () => {
      broken = await outages.start();
    });

    after(() => broken.stop());

    test('if the broker is absent, nothing is written and every other call rejects with UNAVAILABLE', async (t) => {
      const scene = createScene(t, outages.nowhere);
      const broker = scene.open();
      const topic: Topic = { name: scene.topicName, id: '00000000-0000-4000-8000-000000000000', partitions: 1 };
      assert.equal((await publishInTime(broker, topic, '')).kind, 'not_written');
      await assert.rejects(broker.ensureTopic(topic.name, 1), isUnavailable);
      await assert.rejects(broker.describeTopic(topic.name), isUnavailable);
      await assert.rejects(broker.probe(topic.name, 0, TIMEOUT_MS), isUnavailable);
      await assert.rejects(broker.bounds(topic.name), isUnavailable);
      await assert.rejects(broker.committed(scene.group, topic.name), isUnavailable);
      await assert.rejects(Array.fromAsync(broker.read(topic.name, new Map())), isUnavailable);
      await untilFailed(scene.member(broker, topic), 'UNAVAILABLE');
    });

    test('a broker that is killed ends consuming with UNAVAILABLE, and publishing with not_written', async (t) => {
      const scene = createScene(t, broken.address);
      const broker = scene.open();
      const topic = await scene.topic(broker);
      const member = scene.member(broker, topic);
      await publishAll(broker, topic, messages(1));
      await untilHandled(member, 1);
      await broken.kill();
      await untilFailed(member, 'UNAVAILABLE');
      await eventually(async () => assert.equal((await publishInTime(broker, topic, '')).kind, 'not_written'));
      await assert.rejects(broker.probe(topic.name, broker.leaderOf(topic.name, 0), TIMEOUT_MS), isUnavailable);
      await broken.restart();
      await broker.probe(topic.name, broker.leaderOf(topic.name, 0), TIMEOUT_MS);
      await untilPublished(broker, topic, 'after');
      await keepConsuming(scene, broker, topic).untilHandled('after');
    });

    test('a broker killed under a stream of publishes loses nothing acknowledged, and keeps the order', async (t) => {
      const scene = createScene(t, broken.address);
      const broker = scene.open();
      const topic = await scene.topic(broker);
      const acknowledged: { offset: number; value: string }[] = [];
      const streaming = new AbortController();
      const stream = (async () => {
        for (let i = 0; !streaming.signal.aborted; i++) {
          const fate = await publishInTime(broker, topic, `${i}`);
          if (fate.kind === 'acknowledged') acknowledged.push({ offset: fate.offset, value: `${i}` });
        }
      })();
      scene.after(() => {
        streaming.abort();
        return stream;
      });
      await eventually(() => assert(acknowledged.length > 100));
      await broken.kill();
      const beforeRestart = acknowledged.length;
      await broken.restart();
      await eventually(() => assert(acknowledged.length > beforeRestart + 100), RECOVERY_MS);
      streaming.abort();
      await stream;
      const log = await readAll(broker, topic);
      const valueAt = new Map(log.map(({ offset, value }) => [offset, value]));
      for (const { offset, value } of acknowledged) assert.equal(valueAt.get(offset), value);
      const offsets = acknowledged.map(({ offset }) => offset);
      assert.deepEqual(
        offsets,
        offsets.toSorted((a, b) => a - b),
      );
    });

    test('a broker that stands still for 10 s leaves fates unknown in time, and everything works afterwards', async (t) => {
      const scene = createScene(t, broken.address);
      const broker = scene.open();
      const topic = await scene.topic(broker);
      const consumer = keepConsuming(scene, broker, topic);
      await untilPublished(broker, topic, 'before');
      await consumer.untilHandled('before');
      await broken.pause();
      scene.after(() => broken.resume());
      const end = performance.now() + PAUSE_MS;
      assert.equal((await publishInTime(broker, topic, 'during')).kind, 'unknown');
      while (performance.now() < end) {
        assert.notEqual((await publishInTime(broker, topic, 'during')).kind, 'acknowledged');
      }
      await broken.resume();
      await untilPublished(broker, topic, 'after');
      await consumer.untilHandled('after');
      assert(consumer.failures.every(isUnavailable), String(consumer.failures));
    });
  });
};
