import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { exponentOf, readAmount, shippingOf, withRemarks } from './amounts.ts';
import type { Order } from './models.ts';
import { CURRENCIES, currencyExponent, fromMinorUnits } from './money.ts';
import { decodeEvent, encodeEvent } from './serdes_json.ts';
import { toWire } from './events.ts';

interface Item {
  readonly item_id: string;
  readonly quantity: number;
  readonly price: number;
}

const decode = (currency: string, items: readonly Partial<Item>[], total: number) => {
  const value = JSON.stringify({
    event_id: 'e',
    event_type: 'ORDER_CREATED',
    timestamp: '2026-01-18T12:00:00.000Z',
    order_id: 'ORD-1',
    order: {
      order_id: 'ORD-1',
      customer_id: 'c',
      order_date: '2026-01-18T12:00:00.000Z',
      items: items.map((item) => ({ item_id: 'i', quantity: 1, ...item })),
      total_amount: total,
      currency,
      status: 'new',
    },
  });
  return decodeEvent({ key: Buffer.from('ORD-1'), value: Buffer.from(value) });
};

const orderOf = (...given: Parameters<typeof decode>): Order => {
  const decoded = decode(...given);
  return decoded.kind === 'event' && decoded.event.type === 'ORDER_CREATED'
    ? decoded.event.order
    : assert.fail(JSON.stringify(decoded));
};

/** The amounts of an order as it is written to JSON again. */
const writtenAgain = (order: Order) => {
  const wire = toWire({
    type: 'ORDER_CREATED',
    eventId: 'e',
    timestamp: order.orderDate,
    orderId: 'ORD-1',
    version: null,
    order,
  });
  return 'order' in wire
    ? { total: wire.order.total_amount, prices: wire.order.items.map(({ price }) => price) }
    : assert.fail();
};

const shipping = (order: Order): number => shippingOf(order, exponentOf(order) ?? assert.fail());

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

describe('an amount', () => {
  test('is read from its float image', () => {
    for (const [json, exponent, minor] of [
      [976.5799999999999, 2, 97_658],
      [0.1 + 0.2, 2, 30],
      [135.99999999999997, 0, 136],
      [9_999_999_999_999.99, 2, 999_999_999_999_999],
    ] as const) {
      assert.equal(readAmount(json, exponent), minor);
    }
  });

  test('that is further off than 1e-9 of it, or than a hundredth of the unit, has more decimals', () => {
    for (const [json, exponent] of [
      [45.31, 0],
      [1.00000001, 2],
      [10.004, 2],
      [50_000_000_000.0002, 2],
      [5e-324, 2],
    ] as const) {
      assert.equal(readAmount(json, exponent), NaN, String(json));
    }
  });

  test('that is negative, or too large to be exact, is none', () => {
    for (const json of [-0.01, -1e-12 - 1, 1e15, 1e300, Infinity, NaN]) assert.equal(readAmount(json, 0), null);
  });

  test('of any order is written as it was read', () => {
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
});

describe('an order is read with its remarks:', () => {
  test('yen with decimals stay as they were written', () => {
    const order = orderOf('JPY', [{ price: 45.31, quantity: 3 }], 45.31 + 45.31 + 45.31);
    assert.deepEqual(order.remarks, ['more_decimals_than_currency']);
    assert.deepEqual(writtenAgain(order), { total: 135.93, prices: [45.31] });
    assert.equal(shipping(order), 2.72);
  });

  test('a total that differs from its items stays, and so do they', () => {
    const order = orderOf('USD', [{ price: 75 }], 75.01);
    assert.deepEqual(order.remarks, ['total_differs_from_items']);
    assert.deepEqual(writtenAgain(order), { total: 75.01, prices: [75] });
    assert.equal(shipping(order), 1.5);
  });

  test('both remarks can stand', () => {
    const order = orderOf('USD', [{ price: 1.005 }], 2.005);
    assert.deepEqual(order.remarks, ['more_decimals_than_currency', 'total_differs_from_items']);
    assert.equal(shipping(order), 0.04);
  });

  test('shipping has the decimals of the total if it has more than the currency, and at least those', () => {
    assert.equal(shipping(orderOf('JPY', [{ price: 0.5, quantity: 2 }], 1)), 0);
    assert.equal(shipping(orderOf('JPY', [{ price: 37.5 }], 37.5)), 0.8);
    assert.equal(shipping(orderOf('USD', [{ price: 12.3456 }], 12.3456)), 0.2469);
    assert.equal(shipping(orderOf('KWD', [{ price: 1.0241 }], 1.0241)), 0.0205);
  });

  test('a total beyond any sum is kept', () => {
    const order = orderOf('JPY', [{ price: 999_999_999_999_999, quantity: 2 }], 5);
    assert.deepEqual(order.remarks, ['total_differs_from_items']);
  });

  test('what is not an amount is invalid', () => {
    for (const price of [-1, 1e300, '1.50', null]) {
      assert.equal(decode('USD', [{ price: price as number }], 1).kind, 'invalid', String(price));
      assert.equal(decode('USD', [{ price: 1 }], price as number).kind, 'invalid', String(price));
    }
  });

  test('an order without anything unusual has none', () => {
    const order = orderOf('KWD', [{ price: fromMinorUnits(1_024, 3) }], 1.024);
    assert.equal('remarks' in order, false);
  });
});

const remarksOf = (price: number, total: number, exponent: number): readonly string[] | undefined => {
  const read = (amount: number): number => readAmount(amount, exponent) ?? assert.fail();
  const order = { totalAmount: read(total), items: [{ quantity: 1, price: read(price) }] };
  return withRemarks(order, { total_amount: total, items: [{ price }] }, exponent).remarks;
};

describe('the total of an order with more decimals than its currency', () => {
  for (const [what, price, total, exponent] of [
    ['by more than a float error of a small sum', 1.005, 1.0051, 2],
    ['by more than a hundredth of a cent for each amount of a large sum', 1_000_000_000.005, 1_000_000_000.015, 2],
    ['by half a yen in a thousand million', 1_000_000_000.5, 1_000_000_001, 0],
  ] as const) {
    test(`differs from its items ${what}`, () => {
      assert.deepEqual(remarksOf(price, total, exponent), ['more_decimals_than_currency', 'total_differs_from_items']);
      assert.deepEqual(remarksOf(price, price, exponent), ['more_decimals_than_currency']);
    });
  }
});

test('the amount -0 is 0', () => {
  assert.equal(readAmount(-0, 2), 0);
});
