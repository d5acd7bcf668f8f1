import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recordBatchesOf } from './record_batches.ts';

interface Written {
  readonly firstOffset?: bigint;
  readonly lastDelta?: number;
  readonly attributes?: number;
  readonly format?: number;
  readonly payload?: string;
}

const bytesOf = ({
  firstOffset = 5n,
  lastDelta = 1,
  attributes = 0,
  format = 2,
  payload = 'records',
}: Written = {}) => {
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(firstOffset, 0);
  header.writeInt32BE(49 + payload.length, 8);
  header.writeInt8(format, 16);
  header.writeInt16BE(attributes, 21);
  header.writeInt32BE(lastDelta, 23);
  header.writeBigInt64BE(1_000n, 27);
  header.writeBigInt64BE(2_000n, 35);
  header.writeBigInt64BE(77n, 43);
  header.writeInt32BE(lastDelta + 1, 57);
  return Buffer.concat([header, Buffer.from(payload)]);
};

const offsetsIn = (...batches: readonly Buffer[]): string[] =>
  [...recordBatchesOf(Buffer.concat(batches))].map(({ firstOffset, lastOffset }) => `${firstOffset}-${lastOffset}`);

const WHOLE = bytesOf();
const NEXT = bytesOf({ firstOffset: 7n });

describe('a record batch', () => {
  test('has what its header says', () => {
    const [batch] = recordBatchesOf(WHOLE);
    assert.deepEqual(
      { ...batch, payload: batch?.payload.toString() },
      {
        firstOffset: 5n,
        lastOffset: 6n,
        producerId: 77n,
        isTransactional: false,
        isControl: false,
        compression: 0,
        firstTimestamp: 1_000n,
        appendTime: null,
        recordCount: 2,
        payload: 'records',
        isKnownFormat: true,
      },
    );
  });

  for (const [attributes, compression, appendTime, isTransactional, isControl] of [
    [0b00_0100, 4, null, false, false],
    [0b00_0111, 7, null, false, false],
    [0b00_1000, 0, 2_000n, false, false],
    [0b01_0000, 0, null, true, false],
    [0b10_0000, 0, null, false, true],
  ] as const) {
    test(`has the attributes ${attributes.toString(2)}`, () => {
      const [batch] = recordBatchesOf(bytesOf({ attributes }));
      assert.deepEqual(
        [batch?.compression, batch?.appendTime, batch?.isTransactional, batch?.isControl],
        [compression, appendTime, isTransactional, isControl],
      );
    });
  }

  test('may have no records', () => {
    assert.deepEqual(offsetsIn(bytesOf({ payload: '' })), ['5-6']);
  });
});

describe('the batches of a fetch', () => {
  test('are all that are complete', () => {
    assert.deepEqual(offsetsIn(), []);
    assert.deepEqual(offsetsIn(WHOLE, NEXT), ['5-6', '7-8']);
    for (const cut of [0, 8, 16, 17, 60, NEXT.length - 1])
      assert.deepEqual(offsetsIn(WHOLE, NEXT.subarray(0, cut)), ['5-6'], `${cut} bytes of the last one`);
  });

  for (const [what, wrong] of [
    ['is not behind the one before', { firstOffset: 6n }],
    ['ends before it begins', { firstOffset: 7n, lastDelta: -1 }],
    ['has an offset below 0', { firstOffset: -1n }],
    ['has offsets that are not exact numbers', { firstOffset: 2n ** 53n - 2n }],
  ] as const) {
    test(`end before a batch that ${what}`, () => {
      assert.deepEqual(offsetsIn(WHOLE, bytesOf(wrong), bytesOf({ firstOffset: 99n })), ['5-6']);
    });
  }

  test('may have offsets up to the largest exact number', () => {
    assert.deepEqual(offsetsIn(bytesOf({ firstOffset: 2n ** 53n - 3n })), [`${2 ** 53 - 3}-${2 ** 53 - 2}`]);
    assert.deepEqual(offsetsIn(bytesOf({ firstOffset: 0n, lastDelta: 0 })), ['0-0']);
  });

  test('end before one whose length is shorter than its header', () => {
    for (const [length, count] of [
      [48, 1],
      [49, 2],
      [-12, 1],
      [0, 1],
    ] as const) {
      const short = bytesOf({ firstOffset: 7n, payload: '' });
      short.writeInt32BE(length, 8);
      assert.equal(offsetsIn(WHOLE, short).length, count, `a length of ${length}`);
    }
  });

  test('have one for each message of a format before 2', () => {
    const old = bytesOf({ format: 1, firstOffset: 7n });
    const [, batch, next] = recordBatchesOf(Buffer.concat([WHOLE, old, bytesOf({ firstOffset: 8n })]));
    assert.deepEqual(
      { ...batch, payload: batch?.payload.length },
      {
        firstOffset: 7n,
        lastOffset: 7n,
        producerId: -1n,
        isTransactional: false,
        isControl: false,
        compression: 0,
        firstTimestamp: -1n,
        appendTime: null,
        recordCount: 1,
        payload: old.length - 16,
        isKnownFormat: false,
      },
    );
    assert.equal(next?.firstOffset, 8n);
  });

  test('can have a message of a format before 2 that is as short as can be', () => {
    const old = Buffer.alloc(17);
    old.writeInt32BE(5, 8);
    old.writeInt8(1, 16);
    assert.deepEqual(offsetsIn(old), ['0-0']);
    old.writeInt32BE(4, 8);
    assert.deepEqual(offsetsIn(old), []);
  });
});
