import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { oncePerTurn } from './next_turn.ts';

test('work that is asked for several times runs once, in the next turn of the event loop', async () => {
  let runs = 0;
  const ask = oncePerTurn(() => (runs += 1));
  ask();
  ask();
  assert.equal(runs, 0);
  await nextTurn();
  assert.equal(runs, 1);
  ask();
  await nextTurn();
  assert.equal(runs, 2);
});

test('work runs at the next call if the turn is more than 10 ms late', (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  let runs = 0;
  const ask = oncePerTurn(() => (runs += 1));
  ask();
  now = 10;
  ask();
  assert.equal(runs, 0);
  now = 11;
  ask();
  assert.equal(runs, 1);
});
