import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalOrderId, ORDER_STATUSES, parseStatus } from './models.ts';

const ORDER_IDS: readonly (readonly [string, string | null])[] = [
  ['123', 'ORD-123'],
  ['ORD-123', 'ORD-123'],
  ['0123', 'ORD-0123'],
  ['0', 'ORD-0'],
  ['9'.repeat(64), `ORD-${'9'.repeat(64)}`],
  ['9'.repeat(65), null],
  ['', null],
  ['ORD-', null],
  ['ord-123', null],
  ['ORD-ORD-123', null],
  ['ORD-123\n', null],
  [' 123', null],
  ['-123', null],
  ['1.5', null],
  ['1e3', null],
  ['١٢٣', null],
];

for (const [id, canonical] of ORDER_IDS) {
  test(`${JSON.stringify(id)} as an order id is ${canonical ?? 'refused'}`, () => {
    assert.equal(canonicalOrderId(id), canonical);
  });
}

test('every status is read in any case and comes out in lower case', () => {
  for (const status of ORDER_STATUSES) {
    const capitalized = `${status.charAt(0).toUpperCase()}${status.slice(1)}`;
    assert.deepEqual([status, status.toUpperCase(), capitalized].map(parseStatus), [status, status, status]);
  }
});

test('a text that is not a status is refused', () => {
  for (const text of ['', 'news', ' new', 'new\n', 'canceled', 'constructor', '__proto__']) {
    assert.equal(parseStatus(text), null, text);
  }
});
