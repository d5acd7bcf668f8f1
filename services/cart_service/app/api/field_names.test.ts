import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { toSnakeCase } from './field_names.ts';

const TWICE = 'is given twice, under two names, with different values; give it once';

const SAME: readonly (readonly [circumstance: string, body: unknown, renamed: unknown])[] = [
  ['snake_case stays', { order_id: 'ORD-1', customer_id: 'c' }, { order_id: 'ORD-1', customer_id: 'c' }],
  [
    'camelCase becomes snake_case',
    { orderId: '1', numberOfItems: 2, customerId: 'c', currency: 'USD' },
    { order_id: 'ORD-1', number_of_items: 2, customer_id: 'c', currency: 'USD' },
  ],
  ['in items too', { items: [{ itemId: 'i', price: 1 }] }, { items: [{ item_id: 'i', price: 1 }] }],
  ['two names with one value are one field', { order_id: '1', orderId: 'ORD-1' }, { order_id: 'ORD-1' }],
  ['the digits of an integer are the same value', { order_id: 12, orderId: '12' }, { order_id: 'ORD-12' }],
  ['an id becomes canonical, an integer by its digits', { orderId: 0 }, { order_id: 'ORD-0' }],
  ['a text that is not an id stays', { orderId: 'x' }, { order_id: 'x' }],
  ['an integer that is not exact stays', { orderId: 2 ** 53 }, { order_id: 2 ** 53 }],
  ['a negative id stays', { order_id: -1 }, { order_id: -1 }],
  ['a fraction stays', { order_id: 1.5 }, { order_id: 1.5 }],
  ['any other number stays a number', { number_of_items: 3 }, { number_of_items: 3 }],
  ['items that are not an array stay', { items: { itemId: 'i' } }, { items: { itemId: 'i' } }],
  ['an item that is not an object stays', { items: [null, 'i', [1]] }, { items: [null, 'i', [1]] }],
  ['names that every object inherits stay', { toString: 1, constructor: 2 }, { toString: 1, constructor: 2 }],
];

describe('the fields of a body', () => {
  for (const [circumstance, body, renamed] of SAME) {
    test(circumstance, () => assert.deepEqual(toSnakeCase(body), { body: renamed, errors: [] }));
  }

  test('given under two names with different values are each an error, with the path', () => {
    const items = [{}, { itemId: 'a', item_id: 'b' }];
    const { errors } = toSnakeCase({ orderId: 1, order_id: '2', number_of_items: 1, numberOfItems: '1', items });
    assert.deepEqual(
      errors,
      ['order_id', 'number_of_items', 'items.1.item_id'].map((field) => ({ field, message: TWICE })),
    );
  });

  test('are none in any other JSON value, which comes back unchanged', () => {
    for (const body of [undefined, null, 'text', 1, true, [], [{ orderId: 1 }]]) {
      assert.deepEqual(toSnakeCase(body), { body, errors: [] });
    }
  });

  test('are renamed in a copy of any JSON, and a second time changes nothing', () => {
    const name = fc.oneof(fc.constantFrom('orderId', 'order_id', 'items', 'itemId'), fc.string());
    const item = fc.dictionary(name, fc.jsonValue());
    const body = fc.dictionary(name, fc.oneof(fc.jsonValue(), fc.array(item)));
    fc.assert(
      fc.property(body.map(JSON.stringify), (json) => {
        // The parser of bodies removes it.
        fc.pre(!json.includes('"__proto__"'));
        const given: unknown = JSON.parse(json);
        const copy: unknown = JSON.parse(json);
        const { body: renamed } = toSnakeCase(given);
        assert.deepEqual(given, copy);
        assert.deepEqual(toSnakeCase(renamed), { body: renamed, errors: [] });
      }),
      { numRuns: 500 },
    );
  });
});
