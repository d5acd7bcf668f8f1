import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SnapshotOrder } from '#order_service/store/sqlite/view_snapshot.ts';
import { differencesBetween } from './compare.ts';

const order = (orderId: string, changes: Partial<SnapshotOrder> = {}): SnapshotOrder => ({
  orderId,
  version: 1,
  status: 'new',
  body: '{"a":1,"b":[2]}',
  ...changes,
});

const compare = (live: readonly SnapshotOrder[], rebuilt: readonly SnapshotOrder[]): string[] =>
  [...differencesBetween(live, rebuilt)]
    .filter((one) => one !== null)
    .map((one) => `${one.orderId} ${one.kind}: ${one.live} | ${one.rebuilt}`);

describe('differencesBetween', () => {
  test('finds none between the same orders, also where a body is written otherwise', () => {
    assert.deepEqual(compare([order('1'), order('2')], [order('1', { body: '{ "b":[2], "a":1 }' }), order('2')]), []);
    assert.deepEqual(compare([], []), []);
  });

  test('finds what only one of the two has, wherever it stands', () => {
    assert.deepEqual(compare([order('1'), order('3')], [order('2'), order('3'), order('4')]), [
      '1 not_in_log: version 1, new, there | null',
      '2 missing: null | version 1, new, there',
      '4 missing: null | version 1, new, there',
    ]);
  });

  test('tells of an order what differs, and nothing else', () => {
    const live = [order('1'), order('2'), order('3'), order('4', { body: null })];
    const rebuilt = [
      order('1', { version: 2, status: 'shipped' }),
      order('2', { body: '{"a":2}' }),
      order('3'),
      order('4'),
    ];
    assert.deepEqual(compare(live, rebuilt), [
      '1 different: version 1, new | version 2, shipped',
      '2 different: body {"a":1,"b":[2]} | body {"a":2}',
      '4 different: pending | there',
    ]);
  });

  test('gives one result for each order, so that somebody can be told how far it is', () => {
    assert.equal([...differencesBetween([order('1'), order('2')], [order('2'), order('3')])].length, 3);
  });
});
