import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Positions } from '#kafka_common/broker.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { createStartPositions } from './start_positions.ts';

const TOPIC = { name: 'orders.events', id: 'topic-1', partitions: 4 };

interface Scene {
  /** Of the view, as partition, topic id and next offset. */
  readonly stored?: readonly (readonly [partition: number, topicId: string, next: number])[];
  readonly committed?: Positions;
  readonly bounds?: ReadonlyMap<number, { readonly start: number; readonly end: number }> | Error;
}

/** Starts in partitions 0 and 1. */
const start = async ({ stored = [], committed = new Map(), bounds = new Map() }: Scene) => {
  const calls: unknown[] = [];
  const asked: unknown[] = [];
  const { logger, lines } = createTestLog();
  const parts = {
    broker: {
      committed: (...args: unknown[]) => {
        asked.push(args);
        return Promise.resolve(committed);
      },
      bounds: (name: string) => {
        asked.push(name);
        return bounds instanceof Error ? Promise.reject(bounds) : Promise.resolve(bounds);
      },
    },
    db: {
      positions: (name: string) => {
        asked.push(name);
        return Promise.resolve(stored.map(([partition, topicId, next]) => ({ partition, topicId, next })));
      },
    },
    applier: { apply: (...args: unknown[]) => (calls.push(['apply', ...args]), Promise.resolve()) },
    positions: {
      begin: (...args: unknown[]) => calls.push(['begin', ...args]),
      lostAll: (...args: unknown[]) => calls.push(['lostAll', ...args]),
      applied: (...args: unknown[]) => calls.push(['applied', ...args]),
      setFirstLag: (...args: unknown[]) => calls.push(['setFirstLag', ...args]),
    },
    state: { topicMadeAgain: () => calls.push(['topicMadeAgain']) },
    group: 'g',
    logger,
  } as unknown as Parameters<typeof createStartPositions>[0];
  const positions = await createStartPositions(parts)(TOPIC, [0, 1]);
  await new Promise((resolve) => void setImmediate(resolve));
  return { positions: [...positions], calls, asked, lines };
};

describe('the positions to start from', () => {
  test('are those of the view in the partitions assigned', async () => {
    const { positions, calls, asked, lines } = await start({
      stored: [
        [0, 'topic-1', 5],
        [3, 'topic-1', 9],
      ],
      committed: new Map([
        [0, 5],
        [3, 12],
      ]),
    });
    assert.deepEqual(positions, [[0, 5]]);
    assert.deepEqual(calls, [['begin', [0, 1], new Map([[0, 5]])]]);
    assert.deepEqual(asked, [TOPIC.name, ['g', TOPIC.name], TOPIC.name]);
    assert.deepEqual(lines, []);
  });

  test('are behind those of the group if the view was deleted or restored, which is logged', async () => {
    const { positions, lines } = await start({
      stored: [[0, 'topic-1', 5]],
      committed: new Map([
        [0, 6],
        [1, 1],
      ]),
    });
    assert.deepEqual(positions, [[0, 5]]);
    assert.deepEqual(
      lines.map(({ level, msg, topic, partitions }) => [level, msg, topic, partitions]),
      [
        [
          'warn',
          'the view is older than what the group has committed (deleted or restored?): rebuilding it from the log',
          TOPIC.name,
          [0, 1],
        ],
      ],
    );
  });

  test('show the lag of a partition that gets no new record', async () => {
    const { calls } = await start({ bounds: new Map([[1, { start: 3, end: 8 }]]) });
    assert.deepEqual(calls.slice(1), [['setFirstLag', 1, 3, 8]]);
  });

  test('are there also if the lag cannot be found', async () => {
    assert.deepEqual((await start({ bounds: new Error('no leader'), stored: [[1, 'topic-1', 2]] })).positions, [
      [1, 2],
    ]);
  });
});

describe('the positions in a topic that was made again', () => {
  test('are none, and the view stores that at once', async () => {
    const { positions, calls, lines } = await start({
      stored: [
        [0, 'topic-0', 5],
        [1, 'topic-1', 7],
        [2, 'topic-0', 9],
      ],
      committed: new Map([[1, 99]]),
    });
    assert.deepEqual(positions, [[1, 7]]);
    assert.deepEqual(calls, [
      ['begin', [0, 1], new Map([[1, 7]])],
      ['lostAll', 1],
      ['topicMadeAgain'],
      ['apply', { topic: TOPIC, partition: 0, records: [], next: 0, end: 0 }, null],
      ['applied', 0, 0],
    ]);
    assert.deepEqual(
      lines.map(({ level, topic, partitions }) => [level, topic, partitions]),
      [['error', TOPIC.name, [0]]],
    );
    assert.match(lines[0]?.msg ?? '', /^the topic was deleted and made again: reading the new one from its start\. .*/);
  });
});
