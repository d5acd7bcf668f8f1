import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { STOPPING } from '#cart_service/publishing/waiting/failures.ts';
import type { Waiting } from '#cart_service/publishing/waiting/waiting_room.ts';
import type { Refused } from './asked_store.ts';
import { createRefusals, type Refusals } from './refusals.ts';

type Answering = Waiting & { answered: boolean; stored: boolean };

const waitingFor = (idempotencyKey: string | null = null): Answering => ({
  request: {
    command: { kind: 'update', orderId: 'ORD-1', status: 'confirmed', fingerprint: 'f' },
    idempotencyKey,
    traceparent: '',
  },
  deadline: 0,
  stored: false,
  answered: false,
});

const answerNothing = (): Promise<void> => Promise.resolve();

/** Refusals whose store answers when the test says so. */
const scene = (limit = 1_000) => {
  const lookups: { readonly refused: readonly Refused[]; readonly keys: readonly string[]; readonly busy: string[] }[] =
    [];
  const unknown: Waiting[] = [];
  const logged: unknown[] = [];
  const keysInFlight = new Set<string>();
  let keysFreed = 0;
  let answer = answerNothing;
  const refusals: Refusals = createRefusals({
    askedStore: {
      answer(refused, keys) {
        lookups.push({ refused, keys, busy: [...keysInFlight] });
        return answer();
      },
      answerUnknown(refused) {
        for (const { waiting } of refused) {
          unknown.push(waiting);
          (waiting as Answering).answered = true;
        }
      },
    },
    keysInFlight,
    onKeysFree: () => (keysFreed += 1),
    limit,
    logger: { error: (...args: unknown[]) => logged.push(args) } as never,
  });
  return {
    refusals,
    lookups,
    unknown,
    logged,
    keysInFlight,
    keysFreed: () => keysFreed,
    answerWith: (next: typeof answer): void => {
      answer = next;
    },
  };
};

describe('requests that can get no event', () => {
  test('share one look-up, with their failures and each key once', async () => {
    const { refusals, lookups, keysFreed, keysInFlight } = scene();
    const all = [waitingFor('k'), waitingFor('k'), waitingFor('l'), waitingFor()];
    for (const waiting of all) refusals.refuse(waiting, STOPPING);
    await refusals.idle();
    assert.deepEqual(lookups, [
      {
        refused: all.map((waiting) => ({ request: waiting.request, waiting, failure: STOPPING })),
        keys: ['k', 'l'],
        busy: ['k', 'l'],
      },
    ]);
    assert.equal(keysInFlight.size, 0);
    assert.equal(keysFreed(), 1);
  });

  test('are looked up in the next turn without being waited for', async () => {
    const { refusals, lookups } = scene();
    refusals.refuse(waitingFor(), STOPPING);
    assert.equal(lookups.length, 0);
    await new Promise(setImmediate);
    assert.equal(lookups.length, 1);
    await refusals.idle();
    assert.equal(lookups.length, 1);
  });

  test('free no key if they have none', async () => {
    const { refusals, keysFreed } = scene();
    refusals.refuse(waitingFor(), STOPPING);
    await refusals.idle();
    assert.equal(keysFreed(), 0);
  });

  test('are unknown if another attempt under their key is in a batch', async () => {
    const { refusals, lookups, unknown, keysInFlight } = scene();
    keysInFlight.add('k');
    const [busy, free] = [waitingFor('k'), waitingFor()];
    refusals.refuse(busy, STOPPING);
    refusals.refuse(free, STOPPING);
    await refusals.idle();
    assert.deepEqual(unknown, [busy]);
    assert.deepEqual(
      lookups.map(({ refused, keys }) => [refused.map(({ waiting }) => waiting), keys]),
      [[[free], []]],
    );
    assert.deepEqual([...keysInFlight], ['k']);
  });

  test('are unknown if the store fails, which is logged, and free their keys', async () => {
    const { refusals, unknown, logged, keysInFlight, keysFreed, answerWith } = scene();
    answerWith(() => Promise.reject(new Error('disk full')));
    const waiting = waitingFor('k');
    refusals.refuse(waiting, STOPPING);
    await refusals.idle();
    assert.deepEqual(unknown, [waiting]);
    assert.deepEqual(logged, [
      [{ err: new Error('disk full') }, 'the store failed when it was asked about requests; their outcome is unknown'],
    ]);
    assert.equal(keysInFlight.size, 0);
    assert.equal(keysFreed(), 1);
  });

  test('are not looked up if they have their answer or their event', async () => {
    const { refusals, lookups } = scene();
    const [answered, stored] = [waitingFor(), waitingFor()];
    refusals.refuse(answered, STOPPING);
    refusals.refuse(stored, STOPPING);
    answered.answered = true;
    stored.stored = true;
    await refusals.idle();
    assert.deepEqual(lookups, []);
  });

  test('wait for the look-up before, then share the next one, at most 500 at a time', async () => {
    const { refusals, lookups, answerWith } = scene();
    const { promise, resolve } = Promise.withResolvers<void>();
    answerWith(() => promise);
    refusals.refuse(waitingFor(), STOPPING);
    const isIdle = refusals.idle();
    for (let n = 0; n < 501; n++) refusals.refuse(waitingFor(), STOPPING);
    await new Promise(setImmediate);
    assert.equal(lookups.length, 1);
    resolve();
    await isIdle;
    assert.deepEqual(
      lookups.map(({ refused }) => refused.length),
      [1, 500, 1],
    );
  });

  test('are looked up also after nothing was waited for', async () => {
    const { refusals, lookups } = scene();
    await refusals.idle();
    refusals.refuse(waitingFor(), STOPPING);
    await refusals.idle();
    assert.equal(lookups.length, 1);
  });

  for (const [limit, sizes] of [
    [2, [1, 2]],
    [600, [1, 1, 1]],
  ] as const) {
    test(`are kept though they have their answers, up to twice the limit of ${limit}`, async () => {
      const { refusals, lookups, answerWith } = scene(limit);
      const { promise, resolve } = Promise.withResolvers<void>();
      answerWith(() => promise);
      refusals.refuse(waitingFor(), STOPPING);
      const isIdle = refusals.idle();
      refusals.refuse(waitingFor(), STOPPING);
      for (let n = 0; n < 500; n++) refusals.refuse({ ...waitingFor(), answered: true }, STOPPING);
      refusals.refuse(waitingFor(), STOPPING);
      resolve();
      await isIdle;
      // The store is asked about 500 at a time, without those that have their answers.
      assert.deepEqual(
        lookups.map(({ refused }) => refused.length),
        sizes,
      );
    });
  }
});
