import assert from 'node:assert/strict';
import { test } from 'node:test';
import { singleFlight } from './single_flight.ts';

test('calls while the work runs share its result or failure, and the next call runs it again', async () => {
  let runs = 0;
  const call = singleFlight(async () => {
    runs += 1;
    if (runs === 2) throw new Error('gone');
    return runs;
  });
  assert.deepEqual(await Promise.all([call(), call(), call()]), [1, 1, 1]);
  const failing = [call(), call()];
  for (const one of failing) await assert.rejects(one, /gone/);
  assert.equal(await call(), 3);
});
