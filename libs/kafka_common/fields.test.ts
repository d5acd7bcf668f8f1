import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Type from 'typebox';
import { amount, id, sameEverywhere } from './field_kinds.ts';
import { fromClient, fromClientOf, listOf, optional, propertiesOf, readerOf, writerOf } from './fields.ts';
import { InvalidEvent } from './invalid_event.ts';
import { camelCase, snakeCase } from './snake_case.ts';

const LINE = { lineNo: sameEverywhere(Type.Integer()), unitPrice: amount('For one piece') };

const BASKET = {
  basketId: id(),
  lines: listOf(LINE, { maxItems: 2, requestedTitle: 'NewLine', shownTitle: 'Line' }),
  giftNote: fromClient(optional(sameEverywhere(Type.String({ maxLength: 10 }))), 'Empty if left out'),
};

const WHOLE = { basketId: 'b', lines: [{ lineNo: 1, unitPrice: 150 }], giftNote: 'hi' };
const WITHOUT_NOTE = { basketId: 'b', lines: [{ lineNo: 1, unitPrice: 150 }] };

const JSON_WHOLE = { basket_id: 'b', lines: [{ line_no: 1, unit_price: 1.5 }], gift_note: 'hi' };
const JSON_WITHOUT_NOTE = { basket_id: 'b', lines: [{ line_no: 1, unit_price: 1.5 }] };

describe('a description of fields', () => {
  const read = readerOf(BASKET);
  const write = writerOf(BASKET, 'written');

  test('reads JSON in snake_case, and writes the same JSON again', () => {
    assert.deepEqual(read(JSON_WHOLE, 2), WHOLE);
    assert.deepEqual(write(WHOLE, 2), JSON_WHOLE);
  });

  test('shows the same in camelCase', () => {
    assert.deepEqual(writerOf(BASKET, 'shown')(WHOLE, 2), { ...WHOLE, lines: [{ lineNo: 1, unitPrice: 1.5 }] });
  });

  test('leaves out an optional field that is not there', () => {
    assert.deepEqual(read(JSON_WITHOUT_NOTE, 2), WITHOUT_NOTE);
    assert.deepEqual(write(WITHOUT_NOTE, 2), JSON_WITHOUT_NOTE);
    assert.deepEqual(Type.Object(propertiesOf(BASKET, 'accepted')).required, ['basket_id', 'lines']);
  });

  test('ignores fields that it does not have', () => {
    const more = { ...JSON_WHOLE, color: 'red', lines: [{ line_no: 1, unit_price: 1.5, color: 'red' }] };
    assert.deepEqual(read(more, 2), WHOLE);
  });

  test('names the field of a value that cannot be read', () => {
    const json = { ...JSON_WHOLE, lines: [{ line_no: 1, unit_price: 1e16 }] };
    assert.throws(
      () => read(json, 2),
      (error) => error instanceof InvalidEvent && error.message.startsWith('unit_price 10000000000000000 '),
    );
  });

  test('reads from a client only what a client may give, each of it optional', () => {
    const given = fromClientOf(BASKET);
    assert.deepEqual(propertiesOf(given, 'requested'), {
      gift_note: { type: 'string', maxLength: 10, description: 'Empty if left out' },
    });
    assert.deepEqual(readerOf(given)({ ...JSON_WHOLE }, 2), { giftNote: 'hi' });
    assert.deepEqual(readerOf(given)({}, 2), {});
  });
});

test('names change from camelCase to snake_case and back', () => {
  for (const [camel, snake] of [
    ['orderId', 'order_id'],
    ['numberOfItems', 'number_of_items'],
    ['currency', 'currency'],
  ] as const) {
    assert.equal(snakeCase(camel), snake);
    assert.equal(camelCase(snake), camel);
  }
});
