import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareUnderWay } from './share_under_way.ts';

test('who asks while an answer is under way shares it, also a failure, and the next one is asked anew', async () => {
  let asked = 0;
  const ask = shareUnderWay(async () => {
    asked += 1;
    if (asked === 2) throw new Error('gone');
    return asked;
  });
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), [1, 1, 1]);
  const failing = [ask(), ask()];
  for (const one of failing) await assert.rejects(one, /gone/);
  assert.equal(await ask(), 3);
});
