import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Fate, HeaderList, Message } from '#kafka_common/broker.ts';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { eventually } from '#tests/support/eventually.ts';
import type { DeadLetter } from '#order_service/consumer_db.ts';
import { redriveHeaders } from './redrive_header.ts';
import { createRedriver, type RedriveOutcome } from './redrive.ts';
import { anAppliedBatch, applyNext, created, statusUpdated } from '#tests/support/events.ts';
import { REDRIVE_PROOF } from '#tests/support/redrive_proof.ts';
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
        isWhole: true,
        storedAt: 1,
        ...changes,
      })),
    }),
  );

/** A redriver on a broker that records the published messages, and gives each the fate of `fateOf`. */
const redriverOn = (fateOf: (message: Message, n: number) => Fate['kind'] | 'refused' = () => 'acknowledged') => {
  const published: Message[] = [];
  let calls = 0;
  const redriver = createRedriver({
    db: place.db,
    topic: TOPIC,
    proof: REDRIVE_PROOF,
    broker: {
      describeTopic: async (name) => ({ name, id: 'topic-1', partitions: 6 }),
      publish: async (_topic, messages) => {
        calls += 1;
        return messages.map((message) => {
          const n = published.push(message) - 1;
          const kind = fateOf(message, n);
          if (kind === 'acknowledged') return { kind, partition: 1, offset: n };
          if (kind === 'refused') return { kind: 'not_written', fault: 'message', detail: 'too large' };
          return { kind, detail: 'as told' };
        });
      },
    },
  });
  return { redriver, published, calls: () => calls };
};

const GOES_ON = new AbortController().signal;

/** What a redrive of the letter at an offset of partition 3 adds to its headers. */
const headersOf = (key: string, offset: number): HeaderList => {
  const letter = { topic: TOPIC, partition: 3, offset };
  return redriveHeaders(letter, REDRIVE_PROOF(letter, { topicId: 'topic-1', partition: partitionOf(key, 6) }));
};

const done = (outcome: RedriveOutcome) => (outcome.kind === 'done' ? outcome : assert.fail(outcome.kind));

describe('a redrive', () => {
  test('publishes letters in the order of their ids, with key, value, headers and first position', async () => {
    // A former redrive, or anybody, can have written the headers of a redrive.
    const kept: HeaderList = [
      ['h', Buffer.from('1')],
      ['h', Buffer.from('2')],
      ['nul', null],
      ['bin', Buffer.from('ff00fe', 'hex')],
    ];
    const headers: HeaderList = [['redriven-from', Buffer.from('t/1/2')], ...kept, ['redriven-proof', null]];
    await setAside({ headers }, {}, { offset: 77 });
    const { redriver, published } = redriverOn();
    const { results } = done(await redriver.letters([{ id: 3 }, { id: 1 }], GOES_ON));
    assert.deepEqual(published, [
      { key: 'ORD-0', value: '{', headers: [...kept, ...headersOf('ORD-0', 0)] },
      { key: 'ORD-2', value: '{', headers: headersOf('ORD-2', 77) },
    ]);
    assert.deepEqual(results, [
      { id: 1, outcome: 'published', partition: 1, offset: 0, detail: null },
      { id: 3, outcome: 'published', partition: 1, offset: 1, detail: null },
    ]);
  });

  test('publishes the key and value of the request instead, if it has them', async () => {
    await setAside({ key: null, value: Buffer.from([0xff]) });
    const { redriver, published } = redriverOn();
    await redriver.letters([{ id: 1, key: 'ORD-9', value: '{}' }], GOES_ON);
    assert.deepEqual([published[0]?.key, published[0]?.value], ['ORD-9', '{}']);
  });

  test('skips, with the reason, letters that are missing, are not text, or were redriven before', async () => {
    await setAside({ key: null }, { value: Buffer.from([0xff]) }, { value: null }, {});
    const letter = { topic: TOPIC, partition: 3, offset: 3 };
    const redriven = [{ letter, at: 1, partition: 0, offset: 9, outcome: 'applied' as const }];
    await applyNext(place.db, anAppliedBatch({ redriven }));
    const { redriver, published } = redriverOn();
    const { results } = done(
      await redriver.letters(
        [1, 2, 3, 4, 5].map((id) => ({ id })),
        GOES_ON,
      ),
    );
    assert.deepEqual(
      results.map(({ outcome, detail }) => [outcome, detail]),
      [
        ['skipped', 'its key is not text; give it one'],
        ['skipped', 'its value is not text; give it one'],
        ['skipped', 'its value is not text; give it one'],
        ['skipped', 'it was redriven before'],
        ['skipped', 'there is no dead letter with this id'],
      ],
    );
    assert.deepEqual(published, []);
  });

  test('skips a letter that is not whole, unless both its key and its value are replaced', async () => {
    await setAside({ isWhole: false });
    const { redriver, published } = redriverOn();
    for (const request of [{ id: 1 }, { id: 1, value: '{}' }, { id: 1, key: 'ORD-9' }]) {
      const { results } = done(await redriver.letters([request], GOES_ON));
      assert.match(String(results[0]?.detail), /^only its first bytes are kept, because it was too large/);
    }
    await redriver.letters([{ id: 1, key: 'ORD-9', value: '{}' }], GOES_ON);
    assert.deepEqual(
      published.map(({ key, value }) => [key, value]),
      [['ORD-9', '{}']],
    );
  });

  test('skips letters with the key of a letter before them whose fate is unknown, and publishes the others', async () => {
    const big = Buffer.from(`"${'x'.repeat(600_000)}"`);
    await setAside(
      { key: Buffer.from('A'), value: big },
      { key: Buffer.from('B') },
      { key: Buffer.from('A'), value: big },
      {},
    );
    const { redriver, published } = redriverOn(({ key }) => (key === 'A' ? 'unknown' : 'acknowledged'));
    const { results } = done(
      await redriver.letters(
        [1, 2, 3, 4].map((id) => ({ id })),
        GOES_ON,
      ),
    );
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['unknown', 'published', 'skipped', 'published'],
    );
    assert.deepEqual(
      published.map(({ key }) => key),
      ['A', 'B', 'ORD-3'],
    );
  });

  test('stops when nothing can be published any more', async () => {
    await setAside(...Array.from({ length: 150 }, () => ({})));
    const { redriver, published } = redriverOn(() => 'not_written');
    const page = { after: 0, limit: 1_000 };
    const { results, stopped, next } = done(await redriver.matching({}, page, GOES_ON));
    assert.equal(published.length, 100);
    assert.deepEqual([results[99]?.outcome, results[100]?.outcome], ['not_published', 'skipped']);
    assert.deepEqual([stopped, next], ['as told', 100], 'the letters that failed keep no later call from the others');
  });

  test('goes on after a letter that is refused for what it is, also if that was alone in its part', async () => {
    const big = Buffer.from('x'.repeat(950_000));
    await setAside({ value: big }, { value: big }, {}, {});
    const { redriver } = redriverOn(({ key }) => (key === 'ORD-0' || key === 'ORD-2' ? 'refused' : 'acknowledged'));
    const { results, stopped, next } = done(await redriver.matching({}, { after: 0, limit: 10 }, GOES_ON));
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['not_published', 'published', 'not_published', 'published'],
    );
    assert.deepEqual([stopped, next], [null, null]);
  });

  test('publishes no letter if one of the same key before it failed, though both fit into one part', async () => {
    const key = Buffer.from('A');
    await setAside({ key }, { key: Buffer.from('B') }, { key }, {}, { key });
    for (const [fate, outcome] of [
      ['refused', 'not_published'],
      ['not_written', 'not_published'],
      ['unknown', 'unknown'],
    ] as const) {
      const { redriver, published } = redriverOn((_message, n) => (n === 0 ? fate : 'acknowledged'));
      const { results } = done(await redriver.matching({}, { after: 0, limit: 10 }, GOES_ON));
      assert.deepEqual(
        results.map((result) => result.outcome),
        [outcome, 'published', 'skipped', 'published', 'skipped'],
      );
      assert.equal(published.filter((message) => message.key === 'A').length, 1);
    }
  });

  test('publishes letters of one key one at a time, in order', async () => {
    await setAside(...[1, 2, 3].map((n) => ({ key: Buffer.from('A'), value: Buffer.from(String(n)) })));
    const { redriver, published, calls } = redriverOn();
    await redriver.matching({}, { after: 0, limit: 10 }, GOES_ON);
    assert.deepEqual(
      published.map(({ value }) => value),
      ['1', '2', '3'],
    );
    assert.equal(calls(), 3);
  });

  test('keeps to the order within a key on the next page too, and forgets it when it begins again', async () => {
    await setAside({ key: Buffer.from('A') }, {}, { key: Buffer.from('A') });
    const { redriver, published } = redriverOn((_message, n) => (n === 0 ? 'refused' : 'acknowledged'));
    const { next, until } = done(await redriver.matching({}, { after: 0, limit: 2 }, GOES_ON));
    const page = { after: Number(next), until: Number(until), limit: 2 };
    const second = done(await redriver.matching({}, page, GOES_ON));
    assert.deepEqual([second.results[0]?.outcome, published.length], ['skipped', 2]);
    const again = done(await redriver.matching({ key: 'A' }, { after: 0, limit: 10 }, GOES_ON));
    assert.deepEqual(
      again.results.map(({ outcome }) => outcome),
      ['published', 'published'],
    );
  });

  test('ends after the part under way when its signal aborts', async () => {
    await setAside(...Array.from({ length: 250 }, () => ({})));
    const stopping = new AbortController();
    const { redriver, published } = redriverOn((_message, n) => {
      if (n === 100) stopping.abort();
      return 'acknowledged';
    });
    const { results, next, stopped } = done(await redriver.matching({}, { after: 0, limit: 1_000 }, stopping.signal));
    assert.deepEqual([published.length, results.length, next, stopped], [200, 200, 200, 'the client has gone']);
  });

  test('by a filter takes the held letters that match, up to the limit', async () => {
    await setAside(...Array.from({ length: 6 }, (_, n) => ({ reason: n % 2 === 0 ? 'even' : 'odd' })));
    const { redriver, published } = redriverOn();
    const first = done(await redriver.matching({ reason: 'odd' }, { after: 0, limit: 2 }, GOES_ON));
    assert.deepEqual(
      first.results.map(({ id }) => id),
      [2, 4],
    );
    assert.equal(first.next, 4);
    const rest = done(await redriver.matching({ reason: 'odd' }, { after: 4, until: 6, limit: 2 }, GOES_ON));
    assert.deepEqual([rest.results.map(({ id }) => id), rest.next], [[6], null]);
    assert.equal(done(await redriver.matching({ key: 'ORD-0' }, { after: 0, limit: 10 }, GOES_ON)).results.length, 1);
    assert.equal(published.length, 4);
  });

  test('is refused while another one is under way', async () => {
    await setAside({});
    const { redriver } = redriverOn();
    const first = redriver.letters([{ id: 1 }], GOES_ON);
    assert.deepEqual(await redriver.letters([{ id: 1 }], GOES_ON), { kind: 'busy' });
    await first;
    assert.equal(done(await redriver.letters([{ id: 1 }], GOES_ON)).results.length, 1);
  });

  test('of a topic that cannot be reached publishes nothing, and returns the reason', async () => {
    await setAside({});
    const redriver = createRedriver({
      db: place.db,
      topic: TOPIC,
      proof: REDRIVE_PROOF,
      broker: { describeTopic: async () => null, publish: async () => [] },
    });
    const reason = `topic ${TOPIC} does not exist`;
    assert.deepEqual(await redriver.letters([{ id: 1 }], GOES_ON), { kind: 'unavailable', reason });
  });
});

test('a redriven letter comes back through the topic, and then shows what became of it', async () => {
  const broker = createEmbeddedBroker({ directory: place.directory });
  place.defer(() => broker.close());
  const topic = await broker.ensureTopic(TOPIC, 2);
  const wrong = { ...encodeEvent(statusUpdated('ORD-1', 2, 'shipped'), ''), value: '{"event_type":"ORDER_SHIPPED"}' };
  await broker.publish(topic, [encodeEvent(created('ORD-1'), ''), wrong, wrong], 1_000);
  const { runner } = place.startRunner(broker);
  await eventually(() => assert.equal(runner.status().deadLetters, 2));

  const redriver = createRedriver({ db: place.db, broker, topic: TOPIC, proof: REDRIVE_PROOF });
  const { value } = encodeEvent(statusUpdated('ORD-1', 2, 'shipped'), '');
  const [repaired, asItWas] = done(await redriver.letters([{ id: 1, value }, { id: 2 }], GOES_ON)).results;
  assert.deepEqual([repaired?.outcome, asItWas?.outcome], ['published', 'published']);
  await eventually(async () => assert.equal((await place.db.counts()).deadLetters, 3));

  assert.equal((await place.db.order('ORD-1'))?.status, 'shipped');
  const letters = await place.db.deadLetters(0, 10);
  assert.deepEqual(
    letters.map(({ id, redrive }) => [id, redrive?.outcome, redrive?.offset]),
    [
      [1, 'applied', repaired?.offset],
      [2, 'dead_letter', asItWas?.offset],
      [3, undefined, undefined],
    ],
  );
});

test('a filter over letters that always come back dead publishes each exactly once, on any number of pages', async () => {
  const broker = createEmbeddedBroker({ directory: place.directory });
  place.defer(() => broker.close());
  const topic = await broker.ensureTopic(TOPIC, 2);
  const dead = Array.from({ length: 30 }, (_, n) => ({ key: `ORD-${n}`, value: '{', headers: {} }));
  await broker.publish(topic, dead, 1_000);
  const { runner } = place.startRunner(broker);
  await eventually(() => assert.equal(runner.status().deadLetters, 30));

  const redriver = createRedriver({ db: place.db, broker, topic: TOPIC, proof: REDRIVE_PROOF });
  const filter = { reason: 'the value is not JSON' };
  let published = 0;
  let until: number | undefined;
  for (let after: number | null = 0; after !== null;) {
    const page = done(await redriver.matching(filter, { after, until, limit: 7 }, GOES_ON));
    published += page.results.filter(({ outcome }) => outcome === 'published').length;
    await eventually(() => assert.equal(runner.status().deadLetters, 30 + published));
    until = page.until ?? undefined;
    after = page.next;
  }
  assert.equal(published, 30);
  const letters = await place.db.deadLetters(0, 100);
  assert.deepEqual(
    [letters.length, letters.filter(({ redrive }) => redrive?.outcome === 'dead_letter').map(({ id }) => id)],
    [60, Array.from({ length: 30 }, (_, n) => n + 1)],
  );
});

test('a letter is redriven with its headers, byte for byte, however often', async () => {
  const broker = createEmbeddedBroker({ directory: place.directory });
  place.defer(() => broker.close());
  const topic = await broker.ensureTopic(TOPIC, 2);
  const headers: HeaderList = [
    ['h', Buffer.from('1')],
    ['h', Buffer.from('2')],
    ['nul', null],
    ['bin', Buffer.from('ff00fe', 'hex')],
  ];
  await broker.publish(topic, [{ key: 'ORD-1', value: '{', headers }], 1_000);
  const { runner } = place.startRunner(broker);
  await eventually(() => assert.equal(runner.status().deadLetters, 1));
  const redriver = createRedriver({ db: place.db, broker, topic: TOPIC, proof: REDRIVE_PROOF });
  for (const id of [1, 2]) {
    await redriver.letters([{ id }], GOES_ON);
    await eventually(() => assert.equal(runner.status().deadLetters, id + 1));
    const [letter] = await place.db.deadLetters(id, 1);
    assert.deepEqual(letter?.headers.slice(0, -2), headers);
    assert.deepEqual(
      letter?.headers.slice(-2).map(([name]) => name),
      ['redriven-from', 'redriven-proof'],
    );
  }
});
