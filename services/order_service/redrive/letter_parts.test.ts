import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HeaderList } from '#kafka_common/broker.ts';
import { partsOf } from './letter_parts.ts';
import type { LetterPlan } from './plan_letter.ts';

const publish = (id: number, key = `k${id}`, value = '', headers: HeaderList = []): LetterPlan => ({
  kind: 'publish',
  id,
  letter: { topic: 't', partition: 0, offset: id },
  message: { key, value, headers },
});

const skip = (id: number): LetterPlan => ({ kind: 'skip', id, detail: 'no' });

const idsOf = async (plans: readonly LetterPlan[]): Promise<number[][]> => {
  const parts: number[][] = [];
  const given = (async function* () {
    yield* plans;
  })();
  for await (const part of partsOf(given)) parts.push(part.map(({ id }) => id));
  return parts;
};

const sizesOf = async (plans: readonly LetterPlan[]): Promise<number[]> =>
  (await idsOf(plans)).map(({ length }) => length);

describe('the parts of a redrive', () => {
  test('are none without letters', async () => assert.deepEqual(await idsOf([]), []));

  test('have one letter of each key', async () => {
    const plans = [publish(1, 'a'), publish(2, 'b'), publish(3, 'a'), publish(4, 'b')];
    assert.deepEqual(await idsOf(plans), [
      [1, 2],
      [3, 4],
    ]);
  });

  test('have any number of skipped letters, up to 100 letters in all', async () => {
    assert.deepEqual(await idsOf([skip(1), publish(2, 'a'), skip(3)]), [[1, 2, 3]]);
    const many = Array.from({ length: 101 }, (_, id) => (id % 2 === 0 ? publish(id) : skip(id)));
    assert.deepEqual(await sizesOf(many), [100, 1]);
  });

  test('have 1,000,000 bytes at most, or a single letter', async () => {
    const half = 'x'.repeat(500_000);
    assert.deepEqual(await sizesOf([publish(1, 'a', half), publish(2, 'b', half), publish(3, 'c')]), [3]);
    assert.deepEqual(
      await sizesOf([publish(1, 'a', half), publish(2, 'b', `${half}x`), publish(3, 'c', half)]),
      [1, 1, 1],
    );
    assert.deepEqual(await sizesOf([publish(1, 'a', half + half + half), skip(2)]), [1, 1]);
  });

  test('count the bytes of values, and those of headers', async () => {
    assert.deepEqual(await sizesOf([publish(1, 'a', '€'.repeat(333_333)), publish(2, 'b', 'xx')]), [1, 1]);
    const headers: HeaderList = [
      ['four', Buffer.alloc(499_996)],
      ['null', null],
    ];
    assert.deepEqual(await sizesOf([publish(1, 'a', '', headers), publish(2, 'b', 'x'.repeat(499_996))]), [2]);
    assert.deepEqual(await sizesOf([publish(1, 'a', '', headers), publish(2, 'b', 'x'.repeat(499_997))]), [1, 1]);
  });
});
