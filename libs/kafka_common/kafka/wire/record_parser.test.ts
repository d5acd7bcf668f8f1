import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recordBytes, varint } from '#tests/support/record_bytes.ts';
import type { RecordBatch } from './record_batches.ts';
import { createRecordParser, unreadableBatch } from './record_parser.ts';

const FIRST = 100;
const TIME = 1_768_737_600_000;
const MAX_TIME = 8.64e15;

const batchWith = (recordCount: number, changes: Partial<RecordBatch> = {}): RecordBatch => ({
  firstOffset: BigInt(FIRST),
  lastOffset: BigInt(FIRST + recordCount - 1),
  producerId: -1n,
  isTransactional: false,
  isControl: false,
  compression: 0,
  firstTimestamp: BigInt(TIME),
  appendTime: null,
  recordCount,
  payload: Buffer.alloc(0),
  isKnownFormat: true,
  ...changes,
});

const HEADERS = [
  ['name', Buffer.from('text')],
  ['', null],
] as const;

const THREE = [
  recordBytes({ key: 'a', value: 'one', headers: HEADERS, timeDelta: 5 }, 0),
  recordBytes({ value: 'two', timeDelta: -5 }, 1),
  recordBytes({ key: 'c' }, 2),
];

const parse = (pieces: readonly Buffer[], batch = batchWith(3), from = 0, maxBytes = Infinity) => {
  const parser = createRecordParser(batch, from, maxBytes);
  for (const piece of pieces) parser.push(piece);
  return parser;
};

const recordsAt = (...deltas: readonly number[]) => [Buffer.concat(deltas.map((delta) => recordBytes({}, delta)))];

describe('the records of a batch', () => {
  test('have offsets and times from those of the batch on, and their key, value and headers', () => {
    assert.deepEqual(parse(THREE).records, [
      { offset: 100, timestamp: TIME + 5, key: Buffer.from('a'), value: Buffer.from('one'), headers: HEADERS },
      { offset: 101, timestamp: TIME - 5, key: null, value: Buffer.from('two'), headers: [] },
      { offset: 102, timestamp: TIME, key: Buffer.from('c'), value: null, headers: [] },
    ]);
  });

  test('may have a header without a name', () => {
    const bytes = recordBytes({ headers: [['', Buffer.from('text')]] }, 0);
    // The length of the name, 0, becomes -1.
    bytes[bytes.length - 6] = 1;
    assert.deepEqual(parse([bytes], batchWith(1)).records[0]?.headers, [['', Buffer.from('text')]]);
  });

  test('come in pieces of any size', () => {
    const bytes = Buffer.concat(THREE);
    const whole = parse([bytes]).records;
    for (const size of [1, 2, 7, 20]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
        bytes.subarray(n * size, (n + 1) * size),
      );
      assert.deepEqual(parse(pieces).records, whole);
    }
  });

  test('are complete once all are parsed', () => {
    const parser = createRecordParser(batchWith(3), 0, Infinity);
    const states = THREE.map((piece) => {
      parser.push(piece);
      return [parser.isDone(), parser.isComplete()];
    });
    assert.deepEqual(states, [
      [false, false],
      [false, false],
      [true, true],
    ]);
    parser.push(Buffer.from([1, 2, 3]));
    assert.equal(parser.records.length, 3);
  });

  test('before an offset are left out, and keep no memory', () => {
    const parser = parse(THREE, batchWith(3), 102);
    assert.deepEqual(
      parser.records.map(({ offset }) => offset),
      [102],
    );
    assert.equal(parser.keptBytes(), (THREE[2]?.length ?? 0) - 1 + 200);
  });

  test('are not parsed any more once enough bytes are kept', () => {
    const first = (THREE[0]?.length ?? 0) - 1 + 200;
    for (const [maxBytes, count] of [
      [first, 1],
      [first + 1, 2],
    ] as const) {
      const parser = parse([Buffer.concat(THREE)], batchWith(3), 0, maxBytes);
      assert.deepEqual([parser.records.length, parser.isDone(), parser.isComplete()], [count, true, false]);
    }
  });

  test('may have gaps, but lie in the batch, one behind the other', () => {
    const wide = batchWith(2, { lastOffset: 110n });
    assert.deepEqual(
      parse(recordsAt(0, 10), wide).records.map(({ offset }) => offset),
      [100, 110],
    );
    assert.throws(() => parse(recordsAt(0, 0), wide), { message: 'a record has offset 100 after 100' });
    assert.throws(() => parse(recordsAt(5, 4), wide), { message: 'a record has offset 104 after 105' });
    assert.throws(() => parse(recordsAt(-1), wide), { message: 'a record has offset 99 after 99' });
    assert.throws(() => parse(recordsAt(11), wide), { message: 'a record has offset 111 after 99' });
  });

  test('have a length of at least 1', () => {
    assert.throws(() => parse([varint(0)]), { name: 'RangeError', message: 'a record has a length of 0' });
    assert.throws(() => parse([varint(-3)]), { message: 'a record has a length of -3' });
  });
});

const timeOf = (changes: Partial<RecordBatch>, timeDelta = 5): number | undefined =>
  parse([recordBytes({ timeDelta }, 0)], batchWith(1, changes)).records[0]?.timestamp;

describe('the time of a record', () => {
  test('is that of the broker if the batch has it', () => assert.equal(timeOf({ appendTime: 7n }), 7));

  test('is within what a date can hold', () => {
    assert.equal(timeOf({ firstTimestamp: 2n ** 62n }), MAX_TIME);
    assert.equal(timeOf({ firstTimestamp: -(2n ** 62n) }), -MAX_TIME);
    assert.equal(timeOf({ appendTime: 2n ** 62n }), MAX_TIME);
  });
});

const large = (value: number, key = 'k') => recordBytes({ key, value: Buffer.alloc(value, 'v'), headers: HEADERS }, 0);
const TAIL = recordBytes({ value: 'next' }, 1);

describe('a record of more than 1 MiB', () => {
  for (const size of [10_000_000, 10_000, 1_048_576]) {
    test(`is cut to 64 KiB, in pieces of ${size} bytes, and the next one is read`, () => {
      const bytes = Buffer.concat([large(1_048_576), TAIL]);
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
        bytes.subarray(n * size, (n + 1) * size),
      );
      const { records } = parse(pieces, batchWith(2));
      const [first, next] = records;
      assert.deepEqual([first?.offset, first?.key?.toString(), first?.value?.length], [100, 'k', 65_536]);
      assert.deepEqual([first?.headers, first?.timestamp, next?.value?.toString()], [[], TIME, 'next']);
      assert.match(first?.unreadable ?? '', /^the record has 10485\d\d bytes, more than 1048576; its value was cut$/);
    });
  }

  test('has its own offset', () => {
    const second = recordBytes({ value: Buffer.alloc(1_048_576) }, 1);
    const { records } = parse([recordBytes({}, 0), second], batchWith(2));
    assert.deepEqual(
      records.map(({ offset }) => offset),
      [100, 101],
    );
  });

  test('keeps a long key, and so much memory as is kept', () => {
    const parser = parse([large(1_048_576, 'k'.repeat(70_000))], batchWith(1));
    assert.deepEqual(
      [parser.records[0]?.key?.length, parser.records[0]?.value?.length, parser.keptBytes()],
      [65_536, 61_126, 2 * 65_536 + 64 + 200],
    );
  });

  test('of exactly 1 MiB is whole', () => {
    const bytes = large(1_048_576 - 30);
    const spare = 1_048_576 - (bytes.length - varint(bytes.length).length);
    const { records } = parse([large(1_048_576 - 30 + spare)], batchWith(1));
    assert.equal(records[0]?.unreadable, undefined);
    assert.notEqual(parse([large(1_048_576 - 30 + spare + 1)], batchWith(1)).records[0]?.unreadable, undefined);
  });
});

test('a batch that cannot be read is one record with the reason and the first 64 KiB', () => {
  const batch = batchWith(3, { payload: Buffer.alloc(70_000, 'x') });
  const record = unreadableBatch(batch, 101, 'broken');
  assert.deepEqual(
    { ...record, value: record.value?.length },
    {
      offset: 101,
      timestamp: TIME,
      key: null,
      value: 65_536,
      headers: [],
      unreadable: 'the record batch of 70000 bytes, offsets 100 to 102, cannot be read: broken',
    },
  );
});
