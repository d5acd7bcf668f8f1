import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { committedBatches } from './committed_batches.ts';
import type { RecordBatch } from './record_batches.ts';

/** Two bytes for -1 as a 16-bit time delta would need: a varint of more than one byte. */
const LONG_VARINT = [0x80, 0x01];
const [COMMIT_KEY, ABORT_KEY] = [
  [0, 0, 0, 1],
  [0, 0, 0, 0],
];

const batch = (firstOffset: number, producerId: number, rest: Partial<RecordBatch> = {}): RecordBatch => ({
  firstOffset: BigInt(firstOffset),
  lastOffset: BigInt(firstOffset),
  producerId: BigInt(producerId),
  isTransactional: true,
  isControl: false,
  compression: 0,
  firstTimestamp: 0n,
  appendTime: null,
  recordCount: 1,
  payload: Buffer.alloc(0),
  isKnownFormat: true,
  ...rest,
});

/** A control batch. Each of the four numbers before its key can be longer than one byte. */
const marker = (
  firstOffset: number,
  producerId: number,
  key: readonly number[] = ABORT_KEY,
  numbers: readonly (readonly number[])[] = [[20], [0], [0], [8]],
): RecordBatch => {
  const [length = [], time = [], offset = [], keyLength = []] = numbers;
  const payload = Buffer.from([...length, 0, ...time, ...offset, ...keyLength, ...key]);
  return batch(firstOffset, producerId, { isControl: true, payload });
};

const committed = (batches: readonly RecordBatch[], aborted: readonly (readonly [number, number])[]): number[] => {
  const transactions = aborted.map(([producer, from]) => ({ producerId: BigInt(producer), firstOffset: BigInt(from) }));
  return [...committedBatches(batches, transactions)].map(({ firstOffset }) => Number(firstOffset));
};

describe('the batches that exist for a reader', () => {
  test('are all but the markers, if nothing is aborted', () => {
    assert.deepEqual(committed([batch(0, 1), batch(1, 2), marker(2, 1, COMMIT_KEY), batch(3, 1)], []), [0, 1, 3]);
  });

  test('begin again after the abort marker of their producer', () => {
    assert.deepEqual(committed([batch(0, 1), batch(1, 1), marker(2, 1), batch(3, 1)], [[1, 0]]), [3]);
  });

  test('are those before the first offset of the aborted transaction, too', () => {
    assert.deepEqual(committed([batch(0, 1), batch(1, 1), marker(2, 1)], [[1, 1]]), [0]);
  });

  test('leave out a batch that the aborted transaction begins with, at any of its offsets', () => {
    assert.deepEqual(committed([batch(0, 1, { lastOffset: 4n }), marker(5, 1)], [[1, 4]]), []);
  });

  test('are those of the other producers', () => {
    assert.deepEqual(committed([batch(0, 1), batch(1, 2), marker(2, 2), batch(3, 1), marker(4, 1)], [[1, 0]]), [1]);
  });

  test('are those that belong to no transaction, also from the aborted producer', () => {
    assert.deepEqual(committed([batch(0, 1), batch(1, 1, { isTransactional: false })], [[1, 0]]), [1]);
  });

  test('leave out several transactions of one producer, named in any order', () => {
    const batches = [batch(0, 1), marker(1, 1), batch(2, 1), marker(3, 1, COMMIT_KEY), batch(4, 1), marker(5, 1)];
    for (const aborted of [
      [
        [1, 0],
        [1, 4],
      ],
      [
        [1, 4],
        [1, 0],
      ],
    ] as const) {
      assert.deepEqual(committed(batches, aborted), [2]);
    }
  });

  test('leave out several transactions that a single batch reaches', () => {
    const aborted = [
      [1, 0],
      [2, 1],
    ] as const;
    assert.deepEqual(committed([batch(5, 1), batch(6, 2)], aborted), []);
  });

  test('do not begin again after a marker that commits, is cut off, or has another type', () => {
    for (const noAbort of [
      marker(1, 1, COMMIT_KEY),
      marker(1, 1, ABORT_KEY.slice(0, 3)),
      marker(1, 1, []),
      marker(1, 1, [0, 0, 0, 2]),
      // The lower byte alone looks like the type of an abort.
      marker(1, 1, [0, 0, 1, 0]),
      batch(1, 1, { isControl: true }),
      batch(1, 1, { isControl: true, payload: Buffer.alloc(12, 0xff) }),
    ]) {
      assert.deepEqual(committed([batch(0, 1), noAbort, batch(2, 1)], [[1, 0]]), [], noAbort.payload.toString('hex'));
    }
  });

  test('are found with numbers of any length before the type of a marker', () => {
    for (const long of [0, 1, 2, 3]) {
      for (const number of [LONG_VARINT, [0xff, 0xff, 0xff, 0xff, 0x0f]]) {
        const numbers = [[20], [0], [0], [8]].map((short, at) => (at === long ? number : short));
        const of = (key: readonly number[]): number[] =>
          committed([batch(0, 1), marker(1, 1, key, numbers), batch(2, 1)], [[1, 0]]);
        assert.deepEqual([of(ABORT_KEY), of(COMMIT_KEY)], [[2], []]);
      }
    }
  });
});
