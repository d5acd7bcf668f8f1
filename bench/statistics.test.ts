import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantile, ratiosOf, spreadOf } from './statistics.ts';

test('a quantile q is the least value that the part q of all values does not exceed', () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  assert.deepEqual(
    [0, 0.1, 0.5, 0.51, 0.99, 1].map((q) => quantile(values, q)),
    [1, 1, 5, 6, 10, 10],
  );
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('a spread has the median, the least and the greatest value, in any order of values', () => {
  assert.deepEqual(spreadOf([5, 1, 3]), { median: 3, least: 1, most: 5 });
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4 });
});

test('ratios are taken of each pair, not of the medians', () => {
  assert.deepEqual(ratiosOf([1, 20, 300], [2, 10, 100]), { median: 2, least: 0.5, most: 3 });
});
