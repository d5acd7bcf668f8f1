import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { murmur2 } from '@platformatic/kafka';
import fc from 'fast-check';
import { JAVA_HASHES } from '#tests/support/java_hashes.ts';
import { partitionOf } from './partitioner.ts';

describe('the partition of a key', () => {
  for (const [key, hash] of JAVA_HASHES) {
    test(`${key} is the one that the Java client chooses`, () => {
      // `Utils.toPositive` clears the sign bit. With 2^31 partitions the partition is the whole hash.
      const positive = hash < 0 ? hash + 2 ** 31 : hash;
      for (const partitions of [2 ** 31, 6, 7, 1]) assert.equal(partitionOf(key, partitions), positive % partitions);
    });
  }

  test('is the one that the client library chooses, for any bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (key) => {
        assert.equal(partitionOf(key, 2 ** 31), murmur2(Buffer.from(key)) & 0x7fffffff);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is always one that exists', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 1_000 }), (key, partitions) => {
        const partition = partitionOf(key, partitions);
        assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions, String(partition));
      }),
    );
  });

  test('spreads order ids over all partitions', () => {
    const counts = Array<number>(6).fill(0);
    for (let n = 0; n < 6_000; n++) counts[partitionOf(`ORD-${n}`, 6)]! += 1;
    assert.ok(
      counts.every((count) => count > 800),
      String(counts),
    );
  });
});
