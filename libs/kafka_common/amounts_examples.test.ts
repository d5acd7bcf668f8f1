import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, orderOf, shipping, writtenAgain } from '#tests/support/amounts_in_events.ts';
import { readAmount, withRemarks } from './amounts.ts';
import { fromMinorUnits } from './money.ts';

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
});

describe('an order of a producer that adds floats', () => {
  test('has the amounts that were meant', () => {
    for (const [currency, price, quantity, total] of [
      ['USD', 0.1, 3, 0.3],
      ['USD', 139.51, 7, 976.57],
      ['KWD', 1.1, 3, 3.3],
      ['JPY', 45.31, 3, 135.93],
    ] as const) {
      const added = Array.from({ length: quantity }, () => price).reduce((sum, each) => sum + each, 0);
      const order = orderOf(currency, [{ price, quantity }], added);
      assert.deepEqual(writtenAgain(order), { total, prices: [price] });
      assert.deepEqual(order.remarks, currency === 'JPY' ? ['more_decimals_than_currency'] : undefined);
    }
  });

  test('is a sum also of many amounts, each off by a float error', () => {
    const items = Array.from({ length: 10 }, (_, n) => ({ price: 1_000_000.15 + n / 3, quantity: 20 }));
    const total = items.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
    assert.deepEqual(orderOf('JPY', items, total).remarks, ['more_decimals_than_currency']);
  });
});

describe('an order is read with its remarks:', () => {
  test('yen with decimals stay as they were written', () => {
    const order = orderOf('JPY', [{ price: 45.31, quantity: 3 }], 45.31 + 45.31 + 45.31);
    assert.deepEqual(order.remarks, ['more_decimals_than_currency']);
    assert.deepEqual(writtenAgain(order), { total: 135.93, prices: [45.31] });
    assert.equal(shipping(order), 2.72);
  });

  test('dollars with more decimals than cents stay as they were written, beside others', () => {
    const order = orderOf('USD', [{ price: 1.005 }, { price: 0.5 }], 1.505);
    assert.deepEqual(order.remarks, ['more_decimals_than_currency']);
    assert.deepEqual(writtenAgain(order), { total: 1.505, prices: [1.005, 0.5] });
    const differs = orderOf('USD', [{ price: 1.005 }, { price: 0.5 }], 1.51);
    assert.deepEqual(differs.remarks, ['more_decimals_than_currency', 'total_differs_from_items']);
  });

  test('the total is read as a float in the unit of the finest price', () => {
    const order = orderOf('JPY', [{ price: 0.1, quantity: 3 }], 0.1 + 0.1 + 0.1);
    assert.deepEqual(writtenAgain(order), { total: 0.3, prices: [0.1] });
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
    assert.equal(shipping(orderOf('KWD', [{ price: 0.5005 }, { price: 0.9995 }], 1.5)), 0.03);
    assert.equal(shipping(orderOf('USD', [{ price: 9.5e-7 }], 9.5e-7)), 2e-8);
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
