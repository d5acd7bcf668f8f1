import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, createCheckHistory } from './health.ts';

test('a check keeps the time of its last change, even if its reason changes', () => {
  let now = 0;
  const look = createCheckHistory(() => now);
  const sinceAt = (ms: number, reason: string | null): unknown => {
    now = ms;
    const [{ since, ...rest } = { since: '' }] = look([check('broker', reason)]);
    assert.deepEqual(rest, { name: 'broker', ok: reason === null, reason });
    return Date.parse(since);
  };
  assert.equal(sinceAt(1_000, null), 1_000);
  assert.equal(sinceAt(2_000, null), 1_000);
  assert.equal(sinceAt(3_000, 'refused'), 3_000);
  assert.equal(sinceAt(4_000, 'timed out'), 3_000);
  assert.equal(sinceAt(5_000, null), 5_000);
});
