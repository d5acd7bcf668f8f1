import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTail } from './tail.ts';

const NO_FILE = '/does/not/exist';

test('a tail whose file cannot be watched finds a change by polling', async () => {
  let version = 1;
  const tail = createTail(() => version, NO_FILE);
  // The first poll has nothing to compare with.
  await tail.change();
  const change = tail.change();
  version = 2;
  await change;
  tail.close();
});

test('a tail that cannot poll resolves the wait, so that the reader meets the error', async () => {
  const tail = createTail(() => assert.fail('the disk is gone'), NO_FILE);
  await tail.change();
  tail.close();
});

test('waking a tail resolves all waits of that moment, and no later one', async () => {
  let polls = 0;
  const tail = createTail(() => polls++, NO_FILE);
  const waiting = [tail.change(), tail.change()];
  tail.wake();
  await Promise.all(waiting);
  assert.equal(polls, 0);
  await tail.change();
  assert.equal(polls, 1);
  tail.close();
});
