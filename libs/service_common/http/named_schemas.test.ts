import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withNamedSchemas } from './named_schemas.ts';

const ITEM = { title: 'Item', type: 'object' };

describe('schemas with a title', () => {
  test('move under their title, also inside each other, and leave a reference', () => {
    const schemas = {};
    const paths = withNamedSchemas({ a: ITEM, b: { title: 'Order', items: [ITEM], of: { const: ITEM } } }, schemas);
    assert.deepEqual(paths, { a: { $ref: '#/components/schemas/Item' }, b: { $ref: '#/components/schemas/Order' } });
    assert.deepEqual(schemas, {
      Item: { type: 'object' },
      Order: { items: [{ $ref: '#/components/schemas/Item' }], of: { const: ITEM } },
    });
  });

  test('that differ must not have the same title', () => {
    assert.throws(() => withNamedSchemas([ITEM, { ...ITEM, type: 'string' }], {}), /two schemas are called Item/);
  });

  test('keep a title that is a field or part of an example', () => {
    const paths = { example: { title: 'A book' }, properties: { title: { type: 'string' } } };
    assert.deepEqual(withNamedSchemas(paths, {}), paths);
  });
});
