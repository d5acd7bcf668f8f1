import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Headers } from '#kafka_common/broker.ts';
import type { RoutedMessage } from './fates.ts';
import { largestPartition, takeChunk } from './chunks.ts';

const OVERHEAD = 64;

/** A message of so many bytes in all. */
const sized = (bytes: number, partition = 0, headers: Headers = {}): RoutedMessage => ({
  partition,
  message: { key: 'k', value: 'v'.repeat(bytes - OVERHEAD - 1), headers },
});

describe('one send', () => {
  test('takes, in order, what fits into each partition, and leaves the rest', () => {
    const [a, b, c, d] = [sized(100), sized(101), sized(100, 1), sized(100, 1)] as const;
    const pending = [a, b, c, d];
    assert.deepEqual(takeChunk(pending, 200), [a, c, d]);
    assert.deepEqual(pending, [b]);
  });

  test('takes no later message of a partition that is full, so that none overtakes another one', () => {
    const [a, b, c] = [sized(150), sized(100), sized(70)] as const;
    const pending = [a, b, c];
    assert.deepEqual(takeChunk(pending, 220), [a]);
    assert.deepEqual(pending, [b, c]);
  });

  test('takes a message that is larger than the limit alone', () => {
    const pending = [sized(500), sized(100)];
    assert.equal(takeChunk(pending, 200).length, 1);
    assert.equal(takeChunk(pending, 200).length, 1);
    assert.equal(pending.length, 0);
  });
});

describe('the bytes of the largest partition', () => {
  test('are those of all its messages', () => {
    assert.equal(largestPartition([sized(100), sized(150, 1), sized(100)]), 200);
  });

  test('count bytes and not characters, also of keys', () => {
    const message = { key: '€', value: '€€', headers: {} };
    assert.equal(largestPartition([{ partition: 0, message }]), OVERHEAD + 9);
  });

  test('count the headers, as text and as a list of bytes', () => {
    const text = { name: '€', other: 'ab' };
    assert.equal(largestPartition([sized(100, 0, text)]), 100 + (4 + 3 + 4) + (5 + 2 + 4));
    const list: Headers = [
      ['é', Buffer.alloc(7)],
      ['b', null],
    ];
    assert.equal(largestPartition([sized(100, 0, list)]), 100 + (2 + 7 + 10) + (1 + 10));
  });
});
