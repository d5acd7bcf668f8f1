import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fate, Message } from '#kafka_common/broker.ts';
import type { StoredDeadLetter } from '#order_service/consumer_db.ts';
import { createRedriver, type RedriveOutcome } from './redrive.ts';

const GOES_ON = new AbortController().signal;
const DOWN: Fate = { kind: 'not_written', detail: 'down' };

const letterOf = (id: number, key: string, changes: Partial<StoredDeadLetter> = {}): StoredDeadLetter => ({
  id,
  topic: 't',
  partition: 0,
  offset: id,
  timestamp: 1,
  key: Buffer.from(key),
  value: Buffer.from(`v${id}`),
  headers: [],
  reason: 'not JSON',
  isWhole: true,
  redrive: null,
  storedAt: 1,
  ...changes,
});

const THREE = [letterOf(1, 'a'), letterOf(2, 'b'), letterOf(5, 'a')];

/** @param fateOf acknowledged if it returns nothing */
const redriverOn = (
  letters: readonly StoredDeadLetter[],
  fateOf: (value: string) => Fate | undefined = () => undefined,
) => {
  const published: string[] = [];
  let isReachable = true;
  const redriver = createRedriver({
    db: {
      deadLetters: (after, limit, state) =>
        Promise.resolve(
          letters.filter(({ id, redrive }) => id > after && (state !== 'held' || redrive === null)).slice(0, limit),
        ),
      lastDeadLetter: () => Promise.resolve(letters.at(-1)?.id ?? 0),
    },
    topic: 't',
    proof: () => 'p',
    broker: {
      describeTopic: (name) => Promise.resolve(isReachable ? { name, id: 'topic-1', partitions: 1 } : null),
      publish: (_topic, messages: readonly Message[]) =>
        Promise.resolve(
          messages.map(({ value }) => {
            published.push(value);
            return fateOf(value) ?? { kind: 'acknowledged', partition: 0, offset: published.length };
          }),
        ),
    },
  });
  const disconnect = (): void => {
    isReachable = false;
  };
  return { redriver, published, disconnect };
};

const done = (outcome: RedriveOutcome) => (outcome.kind === 'done' ? outcome : assert.fail(outcome.kind));

const idsOf = ({ results }: { readonly results: readonly { readonly id: number }[] }): number[] =>
  results.map(({ id }) => id);

describe('a redrive of some letters', () => {
  test('goes by id, and takes the last request for an id', async () => {
    const { redriver, published } = redriverOn(THREE);
    const outcome = done(await redriver.letters([{ id: 5 }, { id: 1, value: 'x' }, { id: 1, value: 'y' }], GOES_ON));
    assert.deepEqual(
      [published, idsOf(outcome)],
      [
        ['y', 'v5'],
        [1, 5],
      ],
    );
    assert.deepEqual([outcome.next, outcome.until, outcome.stopped], [null, null, null]);
  });

  test('skips an id that has no letter', async () => {
    const { redriver, published } = redriverOn(THREE);
    const { results } = done(await redriver.letters([{ id: 3 }], GOES_ON));
    assert.deepEqual([results[0]?.outcome, published], ['skipped', []]);
  });

  test('says why it stopped, and remembers no key that failed', async () => {
    let fate: Fate | undefined = DOWN;
    const { redriver } = redriverOn(THREE, () => fate);
    assert.equal(done(await redriver.letters([{ id: 1 }], GOES_ON)).stopped, 'down');
    fate = undefined;
    assert.equal(done(await redriver.letters([{ id: 1 }], GOES_ON)).results[0]?.outcome, 'published');
  });

  test('is refused while another one is under way, and not afterwards', async () => {
    const { redriver, disconnect } = redriverOn(THREE);
    const [first, second, third] = await Promise.all([
      redriver.letters([{ id: 1 }], GOES_ON),
      redriver.letters([{ id: 2 }], GOES_ON),
      redriver.matching({}, { after: 0, limit: 1 }, GOES_ON),
    ]);
    assert.deepEqual([first.kind, second, third], ['done', { kind: 'busy' }, { kind: 'busy' }]);
    disconnect();
    const unavailable = { kind: 'unavailable', reason: 'topic t does not exist' };
    assert.deepEqual(await redriver.letters([{ id: 1 }], GOES_ON), unavailable);
    assert.deepEqual(await redriver.matching({}, { after: 0, limit: 1 }, GOES_ON), unavailable);
  });
});

describe('a redrive by a filter', () => {
  test('takes pages of the letters that are there at its start', async () => {
    const { redriver, published } = redriverOn(THREE);
    const first = done(await redriver.matching({}, { after: 0, limit: 2 }, GOES_ON));
    assert.deepEqual([idsOf(first), first.next, first.until], [[1, 2], 2, 5]);
    const second = done(await redriver.matching({}, { after: 2, until: 5, limit: 2 }, GOES_ON));
    assert.deepEqual([idsOf(second), second.next, second.until], [[5], null, 5]);
    assert.deepEqual(published, ['v1', 'v2', 'v5']);
  });

  test('takes no letter that came later, and none that was redriven', async () => {
    const redrive = { at: 0, partition: 0, offset: 0, outcome: 'applied' } as const;
    const { redriver } = redriverOn([letterOf(1, 'a', { redrive }), letterOf(2, 'b'), letterOf(3, 'c')]);
    const page = done(await redriver.matching({}, { after: 0, until: 2, limit: 9 }, GOES_ON));
    assert.deepEqual([idsOf(page), page.next], [[2], null]);
  });

  test('matches the reason, the key, or both', async () => {
    const letters = [
      letterOf(1, 'a'),
      letterOf(2, 'b', { reason: 'other' }),
      letterOf(3, 'b'),
      letterOf(4, '', { key: null, reason: 'other' }),
    ];
    const { redriver } = redriverOn(letters);
    const matching = async (filter: { reason?: string; key?: string }) =>
      idsOf(done(await redriver.matching(filter, { after: 0, limit: 9 }, GOES_ON)));
    assert.deepEqual(await matching({ reason: 'other' }), [2, 4]);
    assert.deepEqual(await matching({ key: 'b' }), [2, 3]);
    assert.deepEqual(await matching({ key: 'b', reason: 'not JSON' }), [3]);
  });

  test('looks at 10,000 letters at most', async () => {
    const letters = Array.from({ length: 10_001 }, (_, n) => letterOf(n + 1, 'a'));
    const byId = new Map(letters.map((letter) => [letter.id, letter]));
    const redriver = createRedriver({
      db: {
        deadLetters: (after) => Promise.resolve([byId.get(after + 1)].filter((letter) => letter !== undefined)),
        lastDeadLetter: () => Promise.resolve(10_001),
      },
      topic: 't',
      proof: () => 'p',
      broker: { describeTopic: () => Promise.resolve(null), publish: () => Promise.resolve([]) },
    });
    const page = done(await redriver.matching({ key: 'b' }, { after: 0, limit: 1 }, GOES_ON));
    assert.deepEqual([page.results, page.next], [[], 10_000]);
  });

  test('that stops goes on after the last letter that was tried', async () => {
    const { redriver } = redriverOn(THREE, () => DOWN);
    const stopped = done(await redriver.matching({}, { after: 1, until: 5, limit: 1 }, GOES_ON));
    assert.deepEqual([stopped.next, stopped.stopped], [2, 'down']);
    const none = done(await redriver.matching({}, { after: 2, until: 5, limit: 9 }, AbortSignal.abort()));
    assert.deepEqual([none.next, none.stopped], [2, 'the client has gone']);
  });

  test('keeps to the order within a key on the next page, and forgets it if it begins again', async () => {
    let fate: Fate | undefined = { kind: 'not_written', fault: 'message', detail: 'too large' };
    const { redriver } = redriverOn(THREE, () => fate);
    const outcomeOf = async (after: number, until: number) =>
      done(await redriver.matching({ key: 'a' }, { after, until, limit: 1 }, GOES_ON)).results.map(
        ({ outcome }) => outcome,
      );
    assert.deepEqual(await outcomeOf(0, 5), ['not_published']);
    fate = undefined;
    assert.deepEqual(await outcomeOf(1, 5), ['skipped']);
    assert.deepEqual(await outcomeOf(1, 6), ['published']);
    fate = DOWN;
    await outcomeOf(0, 6);
    fate = undefined;
    assert.deepEqual(await outcomeOf(0, 6), ['published']);
    assert.deepEqual(await outcomeOf(1, 6), ['published']);
  });
});
