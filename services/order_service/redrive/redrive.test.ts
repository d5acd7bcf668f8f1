import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Fate, Message } from '#kafka_common/broker.ts';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { eventually } from '#tests/support/eventually.ts';
import type { DeadLetter } from '#order_service/consumer_db.ts';
import { createRedriver } from './redrive.ts';
import { anAppliedBatch, applyNext, created, statusUpdated } from '#tests/support/events.ts';
import { createRunnerPlace, TOPIC } from '#tests/support/runner_place.ts';

let place: Awaited<ReturnType<typeof createRunnerPlace>>;

beforeEach(async () => (place = await createRunnerPlace()));
afterEach(() => place.remove());

const setAside = (...letters: Partial<DeadLetter>[]): Promise<void> =>
  applyNext(
    place.db,
    anAppliedBatch({
      deadLetters: letters.map((changes, n) => ({
        topic: TOPIC,
        partition: 3,
        offset: n,
        timestamp: 1,
        key: Buffer.from(`ORD-${n}`),
        value: Buffer.from('{'),
        headers: [],
        reason: 'the value is not JSON',
        storedAt: 1,
        ...changes,
      })),
    }),
  );

/** A broker that notes what it is given, and gives the fates it is told to. */
const redriverOn = (fateOf: (message: Message, n: number) => Fate['kind'] = () => 'acknowledged') => {
  const published: Message[] = [];
  const redriver = createRedriver({
    db: place.db,
    topic: TOPIC,
    broker: {
      describeTopic: async (name) => ({ name, id: 'topic-1', partitions: 6 }),
      publish: async (_topic, messages) =>
        messages.map((message) => {
          const n = published.push(message) - 1;
          const kind = fateOf(message, n);
          return kind === 'acknowledged' ? { kind, partition: 1, offset: n } : { kind, detail: 'as told' };
        }),
    },
  });
  return { redriver, published };
};

describe('a redrive', () => {
  test('publishes letters in the order of their ids, with key, value and headers, and where they stood', async () => {
    await setAside({ headers: [['traceparent', Buffer.from('00-1')]] }, {}, { offset: 77 });
    const { redriver, published } = redriverOn();
    const results = await redriver.letters([{ id: 3 }, { id: 1 }]);
    assert.deepEqual(published, [
      { key: 'ORD-0', value: '{', headers: { traceparent: '00-1', 'redriven-from': `${TOPIC}/3/0` } },
      { key: 'ORD-2', value: '{', headers: { 'redriven-from': `${TOPIC}/3/77` } },
    ]);
    assert.deepEqual(results, [
      { id: 1, outcome: 'published', partition: 1, offset: 0, detail: null },
      { id: 3, outcome: 'published', partition: 1, offset: 1, detail: null },
    ]);
  });

  test('publishes another key and value where they are given', async () => {
    await setAside({ key: null, value: Buffer.from([0xff]) });
    const { redriver, published } = redriverOn();
    await redriver.letters([{ id: 1, key: 'ORD-9', value: '{}' }]);
    assert.deepEqual([published[0]?.key, published[0]?.value], ['ORD-9', '{}']);
  });

  test('leaves out, with the reason, what is not there, what is no text and what was redriven before', async () => {
    await setAside({ key: null }, { value: Buffer.from([0xff]) }, { value: null }, {});
    const letter = { topic: TOPIC, partition: 3, offset: 3 };
    const redriven = [{ letter, at: 1, partition: 0, offset: 9, outcome: 'applied' as const }];
    await applyNext(place.db, anAppliedBatch({ redriven }));
    const { redriver, published } = redriverOn();
    const results = await redriver.letters([1, 2, 3, 4, 5].map((id) => ({ id })));
    assert.deepEqual(
      results.map(({ outcome, detail }) => [outcome, detail]),
      [
        ['skipped', 'its key is no text; give it one'],
        ['skipped', 'its value is no text; give it one'],
        ['skipped', 'its value is no text; give it one'],
        ['skipped', 'it was redriven before'],
        ['skipped', 'there is none of this id'],
      ],
    );
    assert.deepEqual(published, []);
  });

  test('publishes nothing of a key after one of it whose fate is not known, and the others go on', async () => {
    const big = Buffer.from(`"${'x'.repeat(600_000)}"`);
    await setAside(
      { key: Buffer.from('A'), value: big },
      { key: Buffer.from('B') },
      { key: Buffer.from('A'), value: big },
      {},
    );
    const { redriver, published } = redriverOn(({ key }) => (key === 'A' ? 'unknown' : 'acknowledged'));
    const results = await redriver.letters([1, 2, 3, 4].map((id) => ({ id })));
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['unknown', 'published', 'skipped', 'published'],
    );
    assert.deepEqual(
      published.map(({ key }) => key),
      ['A', 'B', 'ORD-3'],
    );
  });

  test('stops where nothing can be published any more', async () => {
    await setAside(...Array.from({ length: 150 }, () => ({})));
    const { redriver, published } = redriverOn(() => 'not_written');
    const { results } = await redriver.matching({}, 0, 1_000);
    assert.equal(published.length, 100);
    assert.deepEqual([results[99]?.outcome, results[100]?.outcome], ['not_published', 'skipped']);
  });

  test('by a filter takes the held ones that match, a part at a time', async () => {
    await setAside(...Array.from({ length: 6 }, (_, n) => ({ reason: n % 2 === 0 ? 'even' : 'odd' })));
    const { redriver, published } = redriverOn();
    const first = await redriver.matching({ reason: 'odd' }, 0, 2);
    assert.deepEqual(
      first.results.map(({ id }) => id),
      [2, 4],
    );
    assert.equal(first.next, 4);
    const rest = await redriver.matching({ reason: 'odd' }, 4, 2);
    assert.deepEqual([rest.results.map(({ id }) => id), rest.next], [[6], null]);
    assert.equal((await redriver.matching({ key: 'ORD-0' }, 0, 10)).results.length, 1);
    assert.equal(published.length, 4);
  });

  test('is refused while another one is under way', async () => {
    await setAside({});
    const { redriver } = redriverOn();
    const first = redriver.letters([{ id: 1 }]);
    await assert.rejects(redriver.letters([{ id: 1 }]), { code: 'RedriveUnderWay' });
    await first;
    assert.equal((await redriver.letters([{ id: 1 }])).length, 1);
  });

  test('of a topic that cannot be reached is a 503 that says nothing was published', async () => {
    await setAside({});
    const redriver = createRedriver({
      db: place.db,
      topic: TOPIC,
      broker: { describeTopic: async () => null, publish: async () => [] },
    });
    await assert.rejects(redriver.letters([{ id: 1 }]), {
      code: 'KafkaBrokersUnavailable',
      message: `nothing was published: topic ${TOPIC} does not exist`,
    });
  });
});

test('a letter that was redriven comes back through the topic, and says what became of it', async () => {
  const broker = createEmbeddedBroker({ directory: place.directory });
  place.defer(() => broker.close());
  const topic = await broker.ensureTopic(TOPIC, 2);
  const wrong = { ...encodeEvent(statusUpdated('ORD-1', 2, 'shipped'), ''), value: '{"event_type":"ORDER_SHIPPED"}' };
  await broker.publish(topic, [encodeEvent(created('ORD-1'), ''), wrong, wrong], 1_000);
  const { runner } = place.startRunner(broker);
  await eventually(() => assert.equal(runner.status().deadLetters, 2));

  const redriver = createRedriver({ db: place.db, broker, topic: TOPIC });
  const { value } = encodeEvent(statusUpdated('ORD-1', 2, 'shipped'), '');
  const [mended, asItWas] = await redriver.letters([{ id: 1, value }, { id: 2 }]);
  assert.deepEqual([mended?.outcome, asItWas?.outcome], ['published', 'published']);
  await eventually(async () => assert.equal((await place.db.counts()).heldDeadLetters, 1));

  assert.equal((await place.db.order('ORD-1'))?.status, 'shipped');
  const letters = await place.db.deadLetters(0, 10);
  assert.deepEqual(
    letters.map(({ id, redrive }) => [id, redrive?.outcome, redrive?.offset]),
    [
      [1, 'applied', mended?.offset],
      [2, 'dead_letter', asItWas?.offset],
      [3, undefined, undefined],
    ],
  );
});
