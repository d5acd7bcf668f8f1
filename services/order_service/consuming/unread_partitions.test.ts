import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { watchUnreadPartitions } from './unread_partitions.ts';

test('partitions that stay without an owner are named, counted and logged once', async (t) => {
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const { logger, lines } = createTestLog();
  let [time, looks, isDown] = [1_000_000, 0, false];
  let owned = new Set([0, 1, 2, 3]);
  const unread = watchUnreadPartitions({
    broker: {
      describeTopic: async (name) => ({ name, id: 'topic-1', partitions: 4 }),
      assignedIn: async () => {
        looks += 1;
        if (isDown) throw new Error('no broker');
        return owned;
      },
    },
    topic: 't',
    group: 'g',
    logger,
    now: () => time,
    signal: stopping.signal,
    lookMs: 1,
  });
  const looked = async (): Promise<void> => {
    const seen = looks;
    await eventually(() => assert.ok(looks > seen + 2));
  };

  owned = new Set([0, 2]);
  await looked();
  time += 14_999;
  await looked();
  assert.deepEqual([unread.count(), unread.warnings()], [0, []]);
  time += 1;
  await looked();
  const warning = 'no member of the consumer group g reads partition 1, 3 of t; new events there do not reach the view';
  assert.deepEqual([unread.count(), unread.warnings()], [2, [warning]]);
  owned = new Set([0, 1, 2]);
  await looked();
  assert.equal(unread.count(), 1);
  isDown = true;
  await looked();
  assert.deepEqual([unread.count(), unread.warnings()], [0, []]);
  assert.deepEqual(
    lines.map(({ level, msg, partitions }) => [level, msg, partitions]),
    [['warn', 'no member of the consumer group reads some partitions', [1, 3]]],
  );
});
