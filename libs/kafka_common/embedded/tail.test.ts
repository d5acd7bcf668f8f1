import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTail } from './tail.ts';

const NO_FILE = '/does/not/exist';

test('a tail whose file cannot be watched finds a change by looking', async () => {
  let version = 1;
  const tail = createTail(() => version, NO_FILE);
  // The first look has nothing to compare with.
  await tail.change();
  const change = tail.change();
  version = 2;
  await change;
  tail.close();
});

test('a tail that cannot look lets go of whoever waits, to meet the error himself', async () => {
  const tail = createTail(() => assert.fail('the disk is gone'), NO_FILE);
  await tail.change();
  tail.close();
});

test('waking a tail resolves all that wait, and nobody who comes later', async () => {
  let looks = 0;
  const tail = createTail(() => looks++, NO_FILE);
  const waiting = [tail.change(), tail.change()];
  tail.wake();
  await Promise.all(waiting);
  assert.equal(looks, 0);
  await tail.change();
  assert.equal(looks, 1);
  tail.close();
});
