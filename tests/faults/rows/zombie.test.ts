import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { movedBack, type Sight } from './zombie.ts';

const sight = (at: number, next: number, owned: readonly number[] = [0]): Sight => ({
  at,
  committed: new Map([[0, next]]),
  owned,
});

describe('the offsets of a group that a zombie wakes in', () => {
  test('that only go on are well', () => {
    assert.deepEqual(movedBack([sight(0, 5), sight(100, 7), sight(200, 7)]), []);
  });

  test('that go back while another member goes on owning the partition are the work of the zombie', () => {
    const sights = [sight(0, 7), sight(100, 5), sight(200, 8), sight(1_700, 9)];
    assert.deepEqual(movedBack(sights), ['partition 0: from 7 to 5']);
  });

  test('that go back as the other member loses the partition are of its new owner, whose view may be older', () => {
    const sights = [sight(0, 7), sight(100, 5), sight(1_100, 6, []), sight(2_000, 7, [])];
    assert.deepEqual(movedBack(sights), []);
  });
});
