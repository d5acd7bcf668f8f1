import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SnapshotOrder } from '#order_service/store/view_rebuild.ts';
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
  test('finds none between the same orders, also if a body is written in another way', () => {
    assert.deepEqual(compare([order('1'), order('2')], [order('1', { body: '{ "b":[2], "a":1 }' }), order('2')]), []);
    assert.deepEqual(compare([], []), []);
  });

  test('finds an order that only one of the two views has, at any place', () => {
    assert.deepEqual(compare([order('1'), order('3')], [order('2'), order('3'), order('4')]), [
      '1 not_in_log: version 1, new, there | null',
      '2 missing: null | version 1, new, there',
      '4 missing: null | version 1, new, there',
    ]);
  });

  test('says what differs in an order, and nothing else', () => {
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

  test('yields once for each order, so that its caller can show progress', () => {
    assert.equal([...differencesBetween([order('1'), order('2')], [order('2'), order('3')])].length, 3);
  });
});
