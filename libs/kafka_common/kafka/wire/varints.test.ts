import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { field, varint } from '#tests/support/record_bytes.ts';
import { type Cursor, isVarintAt, KEPT_FIELD_BYTES, readField, readStartOfField, readVarint } from './varints.ts';

const at = (bytes: Buffer, start = 0): Cursor => ({ bytes, at: start });
const ENDS = { name: 'RangeError', message: 'a record ends before its fields' };
const LONGEST = Buffer.concat([Buffer.alloc(9, 0x80), Buffer.from([1])]);

describe('a varint', () => {
  for (const value of [0, 1, -1, 63, -64, 64, -65, 8_192, -300, 2 ** 31, -(2 ** 31), 2 ** 52, -(2 ** 52)]) {
    test(`of ${value} is read, and the cursor stands behind it`, () => {
      const cursor = at(Buffer.concat([Buffer.from([0xff]), varint(value), Buffer.from([7])]), 1);
      assert.equal(readVarint(cursor), value);
      assert.equal(cursor.bytes[cursor.at], 7);
    });
  }

  test('has ten bytes at most', () => {
    assert.equal(readVarint(at(LONGEST)), 2 ** 62);
    for (const bytes of [Buffer.alloc(11, 0x80), Buffer.alloc(3, 0x80), Buffer.alloc(0)])
      assert.throws(() => readVarint(at(bytes)), ENDS);
  });

  test('is whole if one of its bytes is the last, or if it has ten bytes', () => {
    assert.equal(isVarintAt(varint(5), 0), true);
    assert.equal(isVarintAt(varint(5_000), 0), true);
    assert.equal(isVarintAt(LONGEST, 0), true);
    assert.equal(isVarintAt(Buffer.alloc(10, 0x80), 0), true);
    for (const length of [0, 1, 9]) assert.equal(isVarintAt(Buffer.alloc(length, 0x80), 0), false);
    assert.equal(isVarintAt(Buffer.from([1, 0x80]), 1), false);
    assert.equal(isVarintAt(Buffer.from([0x80, 1]), 1), true);
    assert.equal(isVarintAt(Buffer.alloc(12, 0x80), 3), false);
    assert.equal(isVarintAt(Buffer.from([0x80, 0x7f]), 0), true);
    assert.equal(isVarintAt(Buffer.from([0x80, 0x80]), 0), false);
  });
});

describe('a field', () => {
  test('is read as its bytes, and the cursor stands behind it', () => {
    for (const read of [readField, readStartOfField]) {
      const cursor = at(Buffer.concat([field('abc'), field(''), field(null), Buffer.from([7])]));
      assert.deepEqual([read(cursor)?.toString(), read(cursor)?.toString(), read(cursor)], ['abc', '', null]);
      assert.equal(cursor.bytes[cursor.at], 7);
    }
  });

  test('that ends behind the bytes is an error', () => {
    assert.throws(() => readField(at(field('abc').subarray(0, 3))), ENDS);
  });

  test('can be read from its start, as far as it is there, and up to 64 KiB', () => {
    const large = Buffer.alloc(KEPT_FIELD_BYTES + 1, 'x');
    const cursor = at(Buffer.concat([field(large), field('y')]));
    assert.deepEqual([readStartOfField(cursor)?.length, readStartOfField(cursor)?.toString()], [65_536, 'y']);
    assert.equal(readStartOfField(cursor), null);
    const cut = at(field('abc').subarray(0, 3));
    assert.deepEqual([readStartOfField(cut)?.toString(), readStartOfField(cut)], ['ab', null]);
  });

  test('that is read from its start is a copy', () => {
    const bytes = field('abc');
    const start = readStartOfField(at(bytes));
    bytes.fill(0);
    assert.equal(start?.toString(), 'abc');
  });
});
