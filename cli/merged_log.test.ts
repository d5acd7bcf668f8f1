import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Broker, LogRecord, Positions } from '#kafka_common/broker.ts';
import { readMerged } from './merged_log.ts';

const TOPIC = { name: 'orders.events', id: 'topic-1', partitions: 2 };

/** A log with records of these times in each partition. It is read in batches of two. */
const logOf = (partitions: readonly (readonly number[])[]): Pick<Broker, 'read' | 'bounds'> => {
  const ends = partitions.map((times, partition) => [partition, { start: 0, end: times.length }] as const);
  return {
    bounds: async () => new Map(ends),
    read: async function* (_topic, from) {
      for (const [partition, { end }] of ends) {
        for (let next = from.get(partition) ?? 0; next < end; next += 2) {
          const records = (partitions[partition] ?? [])
            .map((timestamp, offset): LogRecord => ({ offset, timestamp, key: null, value: null, headers: [] }))
            .slice(next, next + 2);
          yield { topic: TOPIC, partition, records, next: Math.min(next + 2, end), end };
        }
      }
    },
  };
};

const read = async (log: Pick<Broker, 'read' | 'bounds'>, from: Positions, until: Positions): Promise<string[]> => {
  const positions: string[] = [];
  for await (const { partition, record } of readMerged(log, TOPIC, from, until))
    positions.push(`${partition}@${record.offset}`);
  return positions;
};

describe('readMerged', () => {
  test('gives the records of all partitions by their time', async () => {
    const log = logOf([
      [1, 4, 5],
      [2, 3, 6],
    ]);
    const all = new Map([
      [0, 3],
      [1, 3],
    ]);
    assert.deepEqual(await read(log, new Map(), all), ['0@0', '1@0', '1@1', '0@1', '0@2', '1@2']);
  });

  test('keeps the order of the log within a partition, even if a clock went back', async () => {
    const log = logOf([[9, 1, 2], [5]]);
    const all = new Map([
      [0, 3],
      [1, 1],
    ]);
    assert.deepEqual(await read(log, new Map(), all), ['1@0', '0@0', '0@1', '0@2']);
  });

  test('begins and ends at the given positions', async () => {
    const log = logOf([
      [1, 2, 3, 4, 5],
      [1, 2, 3],
    ]);
    const from = new Map([
      [0, 1],
      [1, 3],
    ]);
    assert.deepEqual(
      await read(
        log,
        from,
        new Map([
          [0, 4],
          [1, 3],
        ]),
      ),
      ['0@1', '0@2', '0@3'],
    );
  });

  test('reads any number of partitions', async () => {
    const partitions = Array.from({ length: 100 }, (_, partition) => [partition]);
    const until = new Map(partitions.map((_, partition) => [partition, 1]));
    assert.equal(new Set(await read(logOf(partitions), new Map(), until)).size, 100);
  });
});
