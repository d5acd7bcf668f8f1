import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BrokerError, type Fate, type Message, type Topic } from '#kafka_common/broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import type { LetterPlan } from './plan_letter.ts';
import { publishLetters } from './publish_letters.ts';
import { redriveHeaders } from './redrive_header.ts';

const TOPIC: Topic = { name: 't', id: 'topic-1', partitions: 6 };
const GOES_ON = new AbortController().signal;
const NOTHING = { partition: null, offset: null };
const REFUSED: Fate = { kind: 'not_written', fault: 'message', detail: 'too large' };
const DOWN: Fate = { kind: 'not_written', detail: 'down' };
const UNKNOWN: Fate = { kind: 'unknown', detail: 'no answer' };

const letter = (id: number, key = `k${id}`): LetterPlan => ({
  kind: 'publish',
  id,
  letter: { topic: 't', partition: 0, offset: id },
  message: { key, value: `v${id}`, headers: [['h', null]] },
});

const skipped = (id: number): LetterPlan => ({ kind: 'skip', id, detail: 'no' });

interface Scene {
  /** Of each letter, in the order of publishing; acknowledged if there is none. */
  readonly fates?: readonly Fate[];
  readonly lookUp?: () => Promise<Topic | null>;
  readonly failedKeys?: Set<string>;
  readonly signal?: AbortSignal;
}

const proof = (from: { offset: number }, to: { topicId: string; partition: number }) =>
  `${from.offset} ${to.topicId} ${to.partition}`;

const publish = async (plans: readonly LetterPlan[], scene: Scene = {}) => {
  const { fates = [], lookUp = () => Promise.resolve(TOPIC) } = scene;
  const sends: (readonly Message[])[] = [];
  let sent = 0;
  const broker = {
    describeTopic: (name: string) => {
      assert.equal(name, TOPIC.name);
      return lookUp();
    },
    publish: (topic: Topic, messages: readonly Message[], timeoutMs: number): Promise<Fate[]> => {
      assert.deepEqual([topic, timeoutMs], [TOPIC, 5_000]);
      sends.push(messages);
      return Promise.resolve(messages.map(() => fates[sent++] ?? { kind: 'acknowledged', partition: 1, offset: sent }));
    },
  };
  const given = (async function* () {
    yield* plans;
  })();
  const { failedKeys = new Set<string>(), signal = GOES_ON } = scene;
  const published = await publishLetters({ broker, topic: 't', proof }, given, failedKeys, signal);
  const results = published.kind === 'done' ? published.results : [];
  return { published, results, outcomes: results.map(({ id, outcome }) => `${id} ${outcome}`), sends, failedKeys };
};

const LATER = 'the letters before it could not be published';

describe('letters', () => {
  test('are published with the headers of a redrive behind their own', async () => {
    const { sends, published } = await publish([letter(1)]);
    const partition = partitionOf('k1', 6);
    const added = redriveHeaders({ topic: 't', partition: 0, offset: 1 }, `1 topic-1 ${partition}`);
    assert.deepEqual(sends, [[{ key: 'k1', value: 'v1', headers: [['h', null], ...added] }]]);
    const results = [{ id: 1, outcome: 'published', partition: 1, offset: 1, detail: null }];
    assert.deepEqual(published, { kind: 'done', results, stopped: null });
  });

  test('are skipped for the reason of their plan; then nothing is sent', async () => {
    const { sends, results } = await publish([skipped(1)]);
    assert.deepEqual([sends, results], [[], [{ id: 1, outcome: 'skipped', ...NOTHING, detail: 'no' }]]);
  });

  test('are listed by id, whatever became of them', async () => {
    const { outcomes } = await publish([letter(1), skipped(2), letter(3)]);
    assert.deepEqual(outcomes, ['1 published', '2 skipped', '3 published']);
  });

  test('with the key of a letter that failed are skipped, and the others go on', async () => {
    const plans = [letter(1, 'a'), letter(2, 'b'), letter(3, 'a'), letter(4, 'b')];
    const { results, failedKeys } = await publish(plans, { fates: [UNKNOWN] });
    assert.deepEqual(
      results.map(({ outcome, detail }) => [outcome, detail]),
      [
        ['unknown', 'no answer'],
        ['published', null],
        ['skipped', 'a letter before it with the same key failed'],
        ['published', null],
      ],
    );
    assert.deepEqual([...failedKeys], ['a']);
  });

  test('with a key that failed before are skipped', async () => {
    assert.deepEqual((await publish([letter(1, 'a')], { failedKeys: new Set(['a']) })).outcomes, ['1 skipped']);
  });

  for (const [what, fate, outcome, stopped] of [
    ['stop after a part of which nothing was written', DOWN, 'not_published', { reason: 'down', last: 2 }],
    ['stop after a part of which nobody knows', UNKNOWN, 'unknown', { reason: 'no answer', last: 2 }],
    ['go on after letters that are refused for what they are', REFUSED, 'not_published', null],
  ] as const) {
    test(what, async () => {
      const plans = [letter(1, 'a'), letter(2, 'b'), letter(3, 'a'), letter(4, 'c')];
      const { published, results } = await publish(plans, { fates: [fate, fate] });
      assert.deepEqual(published.kind === 'done' && published.stopped, stopped);
      const last = results.at(-1);
      assert.deepEqual([results[0]?.outcome, results[0]?.detail], [outcome, fate.detail]);
      assert.deepEqual([last?.outcome, last?.detail], stopped === null ? ['published', null] : ['skipped', LATER]);
    });
  }

  test('stop for the reason that is not about one message', async () => {
    const { published } = await publish([letter(1), letter(2)], { fates: [REFUSED, DOWN] });
    assert.deepEqual(published.kind === 'done' && published.stopped, { reason: 'down', last: 2 });
  });

  test('go on if one of a part is published', async () => {
    const plans = [letter(1, 'a'), letter(2, 'b'), letter(3, 'b')];
    assert.deepEqual((await publish(plans, { fates: [DOWN] })).outcomes, [
      '1 not_published',
      '2 published',
      '3 published',
    ]);
  });

  test('end after the part under way when the signal aborts', async () => {
    const stopping = new AbortController();
    const lookUp = () => {
      stopping.abort();
      return Promise.resolve(TOPIC);
    };
    const plans = [letter(1, 'a'), letter(2, 'a')];
    const { published, outcomes } = await publish(plans, { lookUp, signal: stopping.signal });
    assert.deepEqual(outcomes, ['1 published']);
    assert.deepEqual(published.kind === 'done' && published.stopped, { reason: 'the client has gone', last: 1 });
  });

  test('keep the first reason to stop', async () => {
    const stopping = new AbortController();
    const lookUp = () => {
      stopping.abort();
      return Promise.resolve(TOPIC);
    };
    const { published } = await publish([letter(1, 'a'), letter(2, 'a')], {
      lookUp,
      signal: stopping.signal,
      fates: [DOWN],
    });
    assert.deepEqual(published.kind === 'done' && published.stopped, { reason: 'down', last: 1 });
  });
});

describe('letters, if the topic cannot be reached', () => {
  for (const [what, lookUp, reason] of [
    ['does not exist', () => Promise.resolve(null), 'topic t does not exist'],
    ['cannot be described', () => Promise.reject(new BrokerError('UNAVAILABLE', 'away')), 'away'],
    ['fails', () => Promise.reject(new Error('a fault')), 'a fault'],
  ] as const) {
    test(`because it ${what}, are not published, and the reason is returned`, async () => {
      const { published, sends } = await publish([letter(1)], { lookUp });
      assert.deepEqual([published, sends], [{ kind: 'unavailable', reason }, []]);
    });
  }

  test('any more, keep the results of the parts before', async () => {
    const topics = [Promise.resolve(TOPIC), Promise.resolve(null)].values();
    const lookUp = () => topics.next().value ?? Promise.resolve(null);
    const plans = [letter(1, 'a'), letter(2, 'a'), letter(3, 'a')];
    const { published, results } = await publish(plans, { lookUp });
    const reason = 'topic t does not exist';
    assert.deepEqual(
      results.map(({ outcome, detail }) => [outcome, detail]),
      [
        ['published', null],
        ['not_published', reason],
        ['skipped', LATER],
      ],
    );
    assert.deepEqual(published.kind === 'done' && published.stopped, { reason, last: 2 });
  });
});
