import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldUpWarnings } from './held_up_warnings.ts';

test('an open transaction is named after some seconds, with its partition, offset and time', () => {
  const since = '2026-01-18T12:00:00.000Z';
  const status = { heldUp: { 3: since }, positions: { 3: 12 }, lag: { 3: 4 } };
  assert.deepEqual(heldUpWarnings(status, Date.parse(since) + 4_999), []);
  const [warning = '', ...others] = heldUpWarnings(status, Date.parse(since) + 5_000);
  assert.match(warning, /partition 3 at offset 12 since 2026-01-18T12:00:00.000Z; the 4 records/);
  assert.deepEqual(others, []);
});
