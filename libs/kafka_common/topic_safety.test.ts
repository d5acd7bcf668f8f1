import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestLog } from '#tests/support/test_log.ts';
import { eventually } from '#tests/support/eventually.ts';
import { watchTopicSafety } from './topic_safety.ts';

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

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
    lines.map(({ level, msg, topic }) => [level, msg, topic]),
    [
      ['warn', 'retention.ms', 't'],
      ['warn', 'compact', 't'],
    ],
  );
});

for (const [what, fails] of [
  ['good', false],
  ['failed', true],
] as const) {
  test(`the next look comes soon after a ${what} one, and not before its time`, async (t) => {
    const stopping = new AbortController();
    t.after(() => stopping.abort());
    const { logger } = createTestLog();
    const looks: number[] = [];
    const topicWarnings = (): Promise<readonly string[]> => {
      looks.push(performance.now());
      return fails ? Promise.reject(new Error('no broker')) : Promise.resolve([]);
    };
    const started = performance.now();
    watchTopicSafety({ broker: { topicWarnings }, topic: 't', logger, signal: stopping.signal, lookMs: 50 });
    await eventually(() => assert.ok(looks.length > 1), 3_000);
    assert.ok((looks[1] ?? 0) - started >= 49);
  });
}

test('no look follows after the end, and none keeps the process running', async (t) => {
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  let looks = 0;
  const topicWarnings = (): Promise<readonly string[]> => {
    looks += 1;
    return Promise.resolve([]);
  };
  const { logger } = createTestLog();
  const before = timers();
  watchTopicSafety({ broker: { topicWarnings }, topic: 't', logger, signal: stopping.signal });
  await turn();
  assert.deepEqual([looks, timers()], [1, before]);
  stopping.abort();
  await turn();
  assert.equal(looks, 1);
});
