import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { orderOf, shipping, writtenAgain } from '#tests/support/amounts_in_events.ts';
import { CURRENCIES, currencyExponent } from './money.ts';
import { decodeEvent, encodeEvent } from './serdes_json.ts';

/** What `round(x, 2)` of Python and `Math.round(x * 100) / 100` of JavaScript give. */
const roundedPrice = fc.nat({ max: 1_000_000 }).map((hundredths) => hundredths / 100);

const producedItems = fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 20 }), price: roundedPrice }), {
  minLength: 1,
  maxLength: 10,
});

const addedAsFloats = (items: readonly { quantity: number; price: number }[]): number =>
  items.reduce((sum, { quantity, price }) => sum + quantity * price, 0);

describe('orders of a producer that rounds prices to two decimals and adds floats', () => {
  for (const [currency, numRuns] of [
    ...['USD', 'EUR', 'GBP', 'JPY', 'KRW', 'CNY', 'INR', 'BRL'].map((code) => [code, 2_000] as const),
    ...CURRENCIES.map((code) => [code, 60] as const),
  ]) {
    test(`in ${currency} are all read, ${numRuns} of them, with the amounts that were meant`, () => {
      const exponent = currencyExponent(currency) ?? assert.fail();
      fc.assert(
        fc.property(producedItems, (items) => {
          const order = orderOf(currency, items, addedAsFloats(items));
          const hundredths = items.reduce((sum, { quantity, price }) => sum + quantity * Math.round(price * 100), 0);
          assert.deepEqual(writtenAgain(order), {
            total: hundredths / 100,
            prices: items.map(({ price }) => price),
          });
          const isFiner = exponent === 0 && items.some(({ price }) => !Number.isInteger(price));
          assert.deepEqual(order.remarks, isFiner ? ['more_decimals_than_currency'] : undefined);
        }),
        { numRuns },
      );
    });
  }
});

test('an amount of any order is written as it was read', () => {
  const price = fc.oneof(roundedPrice, fc.double({ min: 0, max: 1e6, noNaN: true }));
  const item = fc.record({ quantity: fc.integer({ min: 1, max: 9 }), price });
  const anyOrder = fc.tuple(fc.constantFrom(...CURRENCIES), fc.array(item, { minLength: 1, maxLength: 4 }), price);
  fc.assert(
    fc.property(anyOrder, fc.boolean(), ([currency, items, other], isSum) => {
      const total = isSum ? addedAsFloats(items) : other;
      const order = orderOf(currency, items, total);
      const again = writtenAgain(order);
      const unit = 10 ** -(currencyExponent(currency) ?? 0);
      const isNear = (a: number, b: number) => a === b || Math.abs(a - b) <= Math.min(1e-9 * b, 0.01 * unit) * 1.01;
      assert.ok(isNear(again.total, total), `${again.total} for ${total}`);
      items.forEach((one, n) => assert.ok(isNear(again.prices[n] ?? NaN, one.price)));
      const { value } = encodeEvent(
        { type: 'ORDER_CREATED', eventId: 'e', timestamp: order.orderDate, orderId: 'ORD-1', version: null, order },
        '',
      );
      const decoded = decodeEvent({ key: null, value: Buffer.from(value) });
      assert.ok(decoded.kind === 'event' && decoded.event.type === 'ORDER_CREATED');
      assert.deepEqual(decoded.event.order, order);
      assert.ok(Number.isFinite(shipping(order)) && Math.abs(shipping(order) - again.total * 0.02) <= 0.51 * unit);
      if (isSum) assert.ok(!order.remarks?.includes('total_differs_from_items'));
    }),
    { numRuns: 3_000 },
  );
});
