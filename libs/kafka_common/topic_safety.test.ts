import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestLog } from '#tests/support/test_log.ts';
import { eventually } from '#tests/support/eventually.ts';
import { watchTopicSafety } from './topic_safety.ts';

test('each danger is logged once and shown until it is mended, also if the broker answers late', async (t) => {
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const { logger, lines } = createTestLog();
  let looks = 0;
  let dangers = ['retention.ms', 'compact'];
  const topicWarnings = async (): Promise<readonly string[]> => {
    looks += 1;
    if (looks === 1) throw new Error('no broker yet');
    return dangers;
  };
  const warnings = watchTopicSafety({
    broker: { topicWarnings },
    topic: 't',
    logger,
    signal: stopping.signal,
    lookMs: 2,
  });
  assert.deepEqual(warnings(), []);
  await eventually(() => assert.deepEqual(warnings(), ['retention.ms', 'compact']));
  const seen = looks;
  await eventually(() => assert.ok(looks > seen + 3));
  dangers = ['compact'];
  await eventually(() => assert.deepEqual(warnings(), ['compact']));
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      ['warn', 'retention.ms'],
      ['warn', 'compact'],
    ],
  );
});
