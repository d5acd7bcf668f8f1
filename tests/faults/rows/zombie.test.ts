import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { movedBack, type Sight } from './zombie.ts';

const sight = (at: number, next: number, owned: readonly number[] = [0]): Sight => ({
  at,
  committed: new Map([[0, next]]),
  owned,
});

describe('movedBack, for the offsets of a group in which a zombie wakes up', () => {
  test('finds nothing if offsets only grow', () => {
    assert.deepEqual(movedBack([sight(0, 5), sight(100, 7), sight(200, 7)]), []);
  });

  test('finds an offset that went back while another member kept the partition', () => {
    const sights = [sight(0, 7), sight(100, 5), sight(200, 8), sight(1_700, 9)];
    assert.deepEqual(movedBack(sights), ['partition 0: from 7 to 5']);
  });

  test('accepts an offset that went back when the member lost the partition: the view of the new owner may be older', () => {
    const sights = [sight(0, 7), sight(100, 5), sight(1_100, 6, []), sight(2_000, 7, [])];
    assert.deepEqual(movedBack(sights), []);
  });
});
