import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MultipleErrors, ResponseError } from '@platformatic/kafka';
import type { Fate } from '#kafka_common/broker.ts';
import { basesOfPartialFailure, fatesFromBases } from './fates.ts';

const PRODUCE = 0;
const MESSAGE_TOO_LARGE = 10;
const OTHERWISE: Fate = { kind: 'unknown', detail: 'no offset' };

const to = (...partitions: readonly number[]) =>
  partitions.map((partition) => ({ partition, message: { key: 'k', value: 'v', headers: {} } }));

const at = (partition: number, offset: number): Fate => ({ kind: 'acknowledged', partition, offset });

describe('the fates of messages', () => {
  test('have consecutive offsets from the base of their partition on', () => {
    const bases = new Map([
      [0, 0],
      [1, 7],
    ]);
    assert.deepEqual(fatesFromBases(to(0, 1, 0, 1), bases, OTHERWISE), [at(0, 0), at(1, 7), at(0, 1), at(1, 8)]);
    assert.deepEqual([...bases.values()], [0, 7]);
  });

  test('are others if their partition has no base, or none that is an offset', () => {
    const fates = fatesFromBases(
      to(0, 1, 2),
      new Map([
        [0, -1],
        [2, 5],
      ]),
      OTHERWISE,
    );
    assert.deepEqual(fates, [OTHERWISE, OTHERWISE, at(2, 5)]);
  });
});

/** A Produce answer with an error code and a base offset for each partition. */
const answer = (...partitions: readonly (readonly [index: number, errorCode: number, baseOffset: bigint])[]) => {
  const errors = partitions.filter(([, code]) => code !== 0).map(([index, code]) => [`/${index}`, [code, null]]);
  const partitionResponses = partitions.map(([index, errorCode, baseOffset]) => ({ index, errorCode, baseOffset }));
  return new ResponseError(PRODUCE, 11, Object.fromEntries(errors), { responses: [{ partitionResponses }] });
};

describe('the partitions that were written although the answer refuses others', () => {
  test('have their base offsets', () => {
    const error = answer([0, 0, 4n], [1, MESSAGE_TOO_LARGE, -1n], [2, 0, 0n]);
    assert.deepEqual(
      [...basesOfPartialFailure(error)],
      [
        [0, 4],
        [2, 0],
      ],
    );
  });

  test('are those of all attempts', () => {
    const attempts = [new Error('closed'), answer([0, 0, 4n], [1, MESSAGE_TOO_LARGE, -1n])];
    const error = new MultipleErrors('failed', [new MultipleErrors('', attempts), answer([1, 0, 9n])]);
    assert.deepEqual(
      [...basesOfPartialFailure(error)],
      [
        [0, 4],
        [1, 9],
      ],
    );
  });

  test('are none in the failed answer of another request, and in other errors', () => {
    const other = new ResponseError(22, 1, { '': [MESSAGE_TOO_LARGE, null] }, { errorCode: MESSAGE_TOO_LARGE });
    for (const error of [other, new Error('closed'), null]) assert.equal(basesOfPartialFailure(error).size, 0);
  });
});
