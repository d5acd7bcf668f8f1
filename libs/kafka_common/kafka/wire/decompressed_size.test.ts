import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compressionsAlgorithmsByBitmask } from '@platformatic/kafka';
import { lz4Size, snappySize } from './decompressed_size.ts';

const SNAPPY = 2;
const LZ4 = 3;

const compress = (algorithm: number, bytes: Buffer): Buffer =>
  Buffer.from(compressionsAlgorithmsByBitmask[algorithm]?.compressSync(bytes) ?? assert.fail('no algorithm'));

/** Bytes that compress well, hardly, or with long literals and long copies. */
const SAMPLES: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.from('abcdefghijklmn'),
  Buffer.alloc(100_000, 'x'),
  Buffer.from(Array.from({ length: 5_000 }, (_, n) => (n * n * 31 + n * 7) % 251)),
  Buffer.concat([Buffer.from(Array.from({ length: 300 }, (_, n) => (n * 97) % 256)), Buffer.alloc(400, 'y')]),
  Buffer.from('order '.repeat(70_000)),
];

describe('the decompressed size', () => {
  for (const [n, bytes] of SAMPLES.entries()) {
    test(`of sample ${n} is found: ${bytes.length} bytes`, () => {
      assert.equal(snappySize(compress(SNAPPY, bytes)), bytes.length);
      assert.equal(lz4Size(compress(LZ4, bytes)), bytes.length);
    });
  }
});

describe('the size of Snappy bytes', () => {
  const MAGIC = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00];

  const framed = (...chunks: readonly Buffer[]): Buffer =>
    Buffer.concat([
      Buffer.from([...MAGIC, 0, 0, 0, 1, 0, 0, 0, 1]),
      ...chunks.flatMap((chunk) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(chunk.length);
        return [length, chunk];
      }),
    ]);

  test('is the sum of the chunks of the Java client', () => {
    assert.equal(snappySize(framed()), 0);
    assert.equal(snappySize(framed(Buffer.from([5, 9, 9]), Buffer.from([0x80, 2, 9]))), 5 + 256);
    assert.equal(snappySize(framed(Buffer.from([5])).subarray(0, 20)), 0);
  });

  test('is a varint of five bytes at most', () => {
    assert.equal(snappySize(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 9])), 2 ** 32 - 1);
    assert.equal(snappySize(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x8f, 9])), 2 ** 32 - 1);
    assert.equal(snappySize(Buffer.from([0xac, 0x02])), 300);
    assert.equal(snappySize(Buffer.alloc(0)), 0);
  });
});

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

describe('the size of an LZ4 frame', () => {
  const BLOCK_CHECKSUM = 0x10;
  const CONTENT_SIZE = 0x08;
  const DICTIONARY = 0x01;

  const frame = (
    flags: number,
    blocks: readonly (readonly [bytes: readonly number[], isStored: boolean])[],
  ): Buffer => {
    const optional = ((flags & CONTENT_SIZE) === 0 ? 0 : 8) + ((flags & DICTIONARY) === 0 ? 0 : 4);
    return Buffer.concat([
      u32(0x184d2204),
      Buffer.from([0x40 | flags, 0x40]),
      Buffer.alloc(optional + 1),
      ...blocks.flatMap(([bytes, isStored]) => [
        u32((isStored ? 0x8000_0000 : 0) + bytes.length),
        Buffer.from(bytes),
        Buffer.alloc((flags & BLOCK_CHECKSUM) === 0 ? 0 : 4, 0xee),
      ]),
      u32(0),
      Buffer.from([9, 9, 9, 9]),
    ]);
  };

  const STORED = [[1, 2, 3], true] as const;
  /** Two literals, a copy of 4 + 3, and one literal. */
  const COMPRESSED = [[0x23, 7, 7, 1, 0, 0x10, 7], false] as const;

  for (const flags of [0, BLOCK_CHECKSUM, CONTENT_SIZE, DICTIONARY, BLOCK_CHECKSUM | CONTENT_SIZE | DICTIONARY]) {
    test(`is that of its blocks, with the flags ${flags}`, () => {
      assert.equal(lz4Size(frame(flags, [STORED, COMPRESSED, STORED])), 3 + 10 + 3);
      assert.equal(lz4Size(frame(flags, [])), 0);
    });
  }

  test('counts lengths of 15 and more, which go on in the bytes behind', () => {
    const literals = Array.from({ length: 15 + 255 + 2 }, () => 7);
    assert.equal(lz4Size(frame(0, [[[0xf0, 255, 2, ...literals], false]])), 272);
    assert.equal(lz4Size(frame(0, [[[0x1f, 7, 1, 0, 255, 255, 4], false]])), 1 + 4 + 15 + 255 + 255 + 4);
    assert.equal(lz4Size(frame(0, [[[0x1e, 7, 1, 0], false]])), 1 + 4 + 14);
    assert.equal(lz4Size(frame(0, [[[0xf0, 0, ...literals.slice(0, 15)], false]])), 15);
  });

  test('ends with its bytes', () => {
    const bytes = frame(0, [STORED]);
    assert.equal(lz4Size(bytes.subarray(0, 7 + 4 + 3)), 3);
    assert.equal(lz4Size(bytes.subarray(0, 7 + 3)), 0);
  });

  test('is an error for other bytes', () => {
    assert.throws(() => lz4Size(Buffer.alloc(20)), { name: 'RangeError', message: 'it is not an LZ4 frame' });
  });
});
