import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogPositions } from './log_positions.ts';

describe('the positions in the log', () => {
  test('move on with own events, as long as no other event lies between them', () => {
    const log = createLogPositions();
    assert.deepEqual(
      [0, 1, 3, 4].map((offset) => log.acknowledged(0, offset)),
      [true, true, false, false],
    );
    assert.deepEqual([...log.known], [[0, 2]]);
    log.readUpTo(0, 4);
    assert.equal(log.acknowledged(0, 4), true);
    assert.deepEqual([...log.known], [[0, 5]]);
  });

  test('never go back', () => {
    const log = createLogPositions();
    log.readUpTo(0, 5);
    log.readUpTo(0, 3);
    assert.equal(log.acknowledged(0, 2), true);
    assert.deepEqual([...log.known], [[0, 5]]);
  });

  test('are all replaced at a start', () => {
    const log = createLogPositions();
    log.readUpTo(0, 5);
    log.startFrom(new Map([[1, 2]]));
    assert.deepEqual([...log.known], [[1, 2]]);
  });

  test('are behind if any partition has an event that is not known', () => {
    const log = createLogPositions();
    log.startFrom(new Map([[0, 5]]));
    assert.equal(log.isBehind(new Map()), false);
    assert.equal(log.isBehind(new Map([[0, 5]])), false);
    assert.equal(
      log.isBehind(
        new Map([
          [0, 5],
          [1, 1],
        ]),
      ),
      true,
    );
  });
});
