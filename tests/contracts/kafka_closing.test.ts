import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { type KafkaBroker, startKafka } from '#tests/kafka/apache_kafka.ts';
import { ownKafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { eventually } from '#tests/support/eventually.ts';
import { createScene, isBrokerError, keyOf, message, untilHandled } from './broker_scene.ts';
import { publishAll } from './messages.ts';
import { openBroker } from './broker_under_test.ts';
import { type KafkaAddress, kafkaAt, kafkaOfFile } from './kafka_under_test.ts';

/** One timer or socket of a closed client keeps its process for ever. Tests run one by one here, so all are the client's. */
const left = (): string[] =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind.startsWith('TCP'));

const assertNothingLeft = async (circumstance: string): Promise<void> => {
  // A destroyed socket is closed after a turn or two of the event loop.
  for (let turn = 0; turn < 5 && left().length > 0; turn++) await setImmediate();
  assert.deepEqual(left(), [], circumstance);
};

/** API keys of the Kafka protocol. */
const API = { fetch: 1, joinGroup: 11, syncGroup: 14 };

type Moment = 'start' | 'asyncStart';
const MOMENTS: readonly Moment[] = ['start', 'asyncStart'];
const channelOf = (moment: Moment): string => `tracing:plt:kafka:connections:api:${moment}`;

/** Calls back with each request before a client sends it (`start`), and with each answer before it is read (`asyncStart`). */
const listenToTraffic = (listener: (moment: Moment, apiKey: number) => void): Disposable => {
  const listeners = MOMENTS.map((moment) => ({
    channel: channelOf(moment),
    onMessage: (content: unknown) => listener(moment, (content as { apiKey: number }).apiKey),
  }));
  for (const { channel, onMessage } of listeners) subscribe(channel, onMessage);
  return {
    [Symbol.dispose]: () => listeners.forEach(({ channel, onMessage }) => unsubscribe(channel, onMessage)),
  };
};

const shared = await kafkaOfFile();

describe('A member that is stopped', { timeout: 60_000, ...shared.options }, () => {
  let address: KafkaAddress;

  before(async () => {
    address = await shared.address();
  });

  /** Consumes as the only member of its group until `isMoment`, and checks what is left then. */
  const stopAt = async (
    t: TestContext,
    topic: string,
    isMoment: (moment: Moment, apiKey: number) => boolean,
    onAssigned: (group: string) => void = () => {},
  ): Promise<void> => {
    // A test whose time is over goes on in the background, and could try for ever.
    t.signal.throwIfAborted();
    const group = randomUUID();
    const broker = openBroker(address);
    const stopping = new AbortController();
    let stoppedAt = '';
    try {
      using _ = listenToTraffic((moment, apiKey) => {
        if (stopping.signal.aborted || !isMoment(moment, apiKey)) return;
        stoppedAt = `${moment} of API ${apiKey}`;
        stopping.abort();
      });
      await broker.consume({
        topic,
        group,
        memberId: 'member',
        startAt: async () => new Map(),
        onAssigned: () => onAssigned(group),
        onBatch: async () => {},
        signal: AbortSignal.any([stopping.signal, t.signal]),
      });
    } finally {
      await broker.close();
    }
    await assertNothingLeft(`stopped at ${stoppedAt}`);
  };

  const newTopic = async (t: TestContext): Promise<string> => {
    const broker = openBroker(address);
    const { name } = await createScene(t, address).topic(broker);
    await broker.close();
    return name;
  };

  test('at any request or answer before its first fetch leaves nothing behind', async (t) => {
    const topic = await newTopic(t);
    let fetched = false;
    for (let step = 0; !fetched; step++) {
      let seen = 0;
      await stopAt(t, topic, (_, apiKey) => {
        fetched ||= apiKey === API.fetch;
        return seen++ === step;
      });
    }
  });

  test('while it joins again after its removal from the group leaves nothing behind', async (t) => {
    const topic = await newTopic(t);
    for (const wanted of [API.joinGroup, API.syncGroup]) {
      for (const moment of MOMENTS) {
        let removed = false;
        const remove = async (groupId: string): Promise<void> => {
          if (removed) return;
          const admin = new Admin({ clientId: 'admin', bootstrapBrokers: [...address.bootstrapServers] });
          try {
            await admin.removeMembersFromConsumerGroup({ groupId, members: [] });
          } finally {
            await admin.close();
          }
          removed = true;
        };
        await stopAt(
          t,
          topic,
          (...seen) => removed && seen[0] === moment && seen[1] === wanted,
          (group) => void remove(group),
        );
      }
    }
  });
});

/** A client that takes longer would hold up the stop of its service. */
const STOP_MS = 5_000;
const CLOSE_MS = 3_000;

describe('A client of a Kafka that is lost', { timeout: 180_000, ...(await ownKafkaForTests()) }, () => {
  let kafka: KafkaBroker;

  before(async () => {
    kafka = await startKafka();
  });

  after(() => kafka.stop());

  const losses = [
    { how: 'was killed', lose: () => kafka.kill(), mend: () => kafka.restart() },
    { how: 'stands still', lose: () => kafka.pause(), mend: () => kafka.resume() },
  ];
  for (const { how, lose, mend } of losses) {
    test(`is closed in time and leaves nothing behind if the broker ${how}`, async (t) => {
      const scene = createScene(t, kafkaAt(kafka.bootstrapServers));
      const broker = scene.open();
      const topic = await eventually(() => scene.topic(broker, 2));
      const member = scene.member(broker, topic);
      const both = [message(keyOf(0, 2)), message(keyOf(1, 2))];
      await publishAll(broker, topic, both);
      await untilHandled(member, 2);
      const reading = broker.read(topic.name, new Map())[Symbol.asyncIterator]();
      await reading.next();
      scene.after(mend);
      await lose();
      const published = broker.publish(topic, both, 60_000);
      const read = reading.next().catch((error: unknown) => error);

      const start = performance.now();
      await member.stop().catch((error: unknown) => assert(isBrokerError('UNAVAILABLE')(error), String(error)));
      const stopped = performance.now();
      await broker.close();
      const closed = performance.now();
      await assertNothingLeft(`closed as the broker ${how}`);
      assert(stopped - start < STOP_MS, `stopped after ${stopped - start} ms`);
      assert(closed - stopped < CLOSE_MS, `closed after ${closed - stopped} ms`);
      assert.notEqual((await published)[0]?.kind, 'acknowledged');
      assert(isBrokerError('UNAVAILABLE')(await read), String(await read));
      const [late] = await broker.publish(topic, both, 60_000);
      assert.equal(late?.kind, 'not_written');
      await assertNothingLeft('published after the close');
    });
  }
});
