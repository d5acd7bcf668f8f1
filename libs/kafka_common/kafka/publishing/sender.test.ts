import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProtocolError, ResponseError } from '@platformatic/kafka';
import type { Fate, HeaderList, Topic } from '#kafka_common/broker.ts';
import type { LaneProducer } from '#kafka_common/kafka/clients.ts';
import type { RoutedMessage } from './fates.ts';
import { createSender } from './sender.ts';

const TOPIC: Topic = { name: 't', id: 'topic-1', partitions: 3 };
const PRODUCE = 0;
const MESSAGE_TOO_LARGE = 10;

const to = (partition: number, headers: RoutedMessage['message']['headers'] = {}): RoutedMessage => ({
  partition,
  message: { key: 'k', value: 'v', headers },
});

/** The topic as the producer knows it. */
interface Known {
  readonly id?: string;
  readonly partitions?: number;
}

interface Scene {
  readonly send?: () => Promise<unknown>;
  /** Null: it does not exist. */
  readonly known?: Known | null;
}

const scene = ({ send = () => Promise.resolve({ offsets: [] }), known = {} }: Scene = {}) => {
  const counts = { producers: 0, closed: 0, changes: 0 };
  const sent: unknown[] = [];
  const newProducer = () => {
    counts.producers += 1;
    const client = {
      metadata: ({ topics }: { topics: readonly string[] }) => {
        assert.deepEqual(topics, [TOPIC.name]);
        const { id = TOPIC.id, partitions = TOPIC.partitions } = known ?? {};
        return Promise.resolve({
          topics: new Map(known === null ? [] : [[TOPIC.name, { id, partitionsCount: partitions }]]),
        });
      },
      send: ({ messages }: { messages: readonly unknown[] }) => {
        sent.push(...messages);
        return send();
      },
    } as unknown as LaneProducer;
    const close = () => {
      counts.closed += 1;
      return Promise.resolve();
    };
    return { client, close };
  };
  const sender = createSender(newProducer, () => counts.changes);
  const publish = (messages: readonly RoutedMessage[] = [to(0)], timeoutMs = 1_000) =>
    sender.send(TOPIC, messages, performance.now() + timeoutMs);
  return { sender, publish, counts, sent };
};

const answers = (...offsets: readonly (readonly [partition: number, offset: bigint])[]) => ({
  send: () => Promise.resolve({ offsets: offsets.map(([partition, offset]) => ({ topic: 't', partition, offset })) }),
});

const fails = (failure: Error): Scene => ({ send: () => Promise.reject(failure) });

const notWritten = (detail: string, fault?: 'message' | 'topic'): Fate => ({
  kind: 'not_written',
  detail,
  ...(fault && { fault }),
});

describe('a send', () => {
  test('acknowledges its messages at the offsets of the answer', async () => {
    const { publish, counts } = scene(answers([0, 7n], [1, 0n]));
    const { fates, isMessageFault } = await publish([to(0), to(1), to(0)]);
    assert.deepEqual(fates, [
      { kind: 'acknowledged', partition: 0, offset: 7 },
      { kind: 'acknowledged', partition: 1, offset: 0 },
      { kind: 'acknowledged', partition: 0, offset: 8 },
    ]);
    await publish();
    assert.deepEqual([isMessageFault, counts], [false, { producers: 1, closed: 0, changes: 0 }]);
  });

  test('does not know the fate of a message whose answer has no offset', async () => {
    const unknown: Fate = { kind: 'unknown', detail: 'the broker answered without an offset' };
    for (const answer of [answers([1, 0n]), { send: () => Promise.resolve({}) }])
      assert.deepEqual((await scene(answer).publish()).fates, [unknown]);
  });

  test('keeps the names of headers, byte for byte and repeated', async () => {
    const { publish, sent } = scene(answers([0, 0n]));
    const list: HeaderList = [
      ['a', Buffer.from('1')],
      ['a', null],
      ['\udcff', null],
    ];
    await publish([to(0, list), to(2, { text: 'x' })]);
    const [first, second] = sent as { headers: Map<Buffer, Buffer | null> }[];
    assert.deepEqual(
      [...(first?.headers ?? [])],
      [
        [Buffer.from('a'), Buffer.from('1')],
        [Buffer.from('a'), null],
        [Buffer.from([0xff]), null],
      ],
    );
    assert.deepEqual(second, { topic: 't', partition: 2, key: 'k', value: 'v', headers: { text: 'x' } });
  });

  test('is not sent if its time is over, or after the end', async () => {
    const { publish, sender, sent, counts } = scene();
    assert.deepEqual((await publish([to(0)], 0)).fates, [notWritten('not sent, because its time was over before')]);
    assert.deepEqual([sent, counts.producers], [[], 0]);
    await publish();
    await sender.close();
    const after = await publish([to(0), to(1)]);
    const fate = notWritten('not sent, because the client is closed');
    assert.deepEqual([after, sent.length, counts.closed], [{ fates: [fate, fate], isMessageFault: false }, 1, 1]);
  });

  test('ends at its deadline: the fate is unknown, and the producer is given up', async () => {
    const { publish, counts } = scene({ send: () => new Promise(() => {}) });
    const { fates } = await publish([to(0)], 20);
    assert.equal(fates[0]?.kind, 'unknown');
    assert.deepEqual(counts, { producers: 1, closed: 1, changes: 0 });
  });

  test('has a new producer once a leader or the topic has changed', async () => {
    const { publish, counts } = scene();
    await publish();
    counts.changes += 1;
    await publish();
    await publish();
    assert.deepEqual(counts, { producers: 2, closed: 1, changes: 1 });
  });
});

describe('a send that is refused', () => {
  for (const [id, fault, closed] of [
    ['MESSAGE_TOO_LARGE', 'message', 0],
    ['UNKNOWN_TOPIC_ID', 'topic', 1],
    ['NOT_ENOUGH_REPLICAS', undefined, 0],
  ] as const) {
    test(`by ${id} has certainly not written; the producer is ${closed === 0 ? 'kept' : 'given up'}`, async () => {
      const error = new ProtocolError(id);
      const { publish, counts } = scene(fails(error));
      const { fates, isMessageFault } = await publish();
      assert.deepEqual(fates, [notWritten(`${id}: ${error.message}`, fault)]);
      assert.deepEqual([isMessageFault, counts.closed], [fault === 'message', closed]);
    });
  }

  test('may have been written if the error does not exclude it; then the producer is given up', async () => {
    const { publish, counts } = scene(fails(new Error('closed')));
    assert.deepEqual(await publish(), { fates: [{ kind: 'unknown', detail: 'closed' }], isMessageFault: false });
    assert.equal(counts.closed, 1);
  });

  test('in one partition is acknowledged in the others', async () => {
    const partitionResponses = [
      { index: 0, errorCode: 0, baseOffset: 4n },
      { index: 1, errorCode: MESSAGE_TOO_LARGE, baseOffset: -1n },
    ];
    const errors = { '/responses/0/partition_responses/1': [MESSAGE_TOO_LARGE, null] as [number, null] };
    const error = new ResponseError(PRODUCE, 11, errors, { responses: [{ partitionResponses }] });
    const { fates, isMessageFault } = await scene(fails(error)).publish([to(0), to(1)]);
    assert.deepEqual([fates.map(({ kind }) => kind), isMessageFault], [['acknowledged', 'not_written'], true]);
  });
});

describe('a send to a topic that is another one now', () => {
  for (const [known, reason] of [
    [null, 'topic t does not exist any more'],
    [{ id: 'topic-2' }, 'topic t was created again'],
    [{ partitions: 4 }, 'topic t has 4 partitions now, not 3'],
  ] as const) {
    test(`is not made, and the producer is given up: ${reason}`, async () => {
      const { publish, sent, counts } = scene({ known });
      const fate = notWritten(`not sent: ${reason}`, 'topic');
      assert.deepEqual(await publish([to(0), to(1)]), { fates: [fate, fate], isMessageFault: false });
      assert.deepEqual([sent, counts.closed], [[], 1]);
    });
  }
});
