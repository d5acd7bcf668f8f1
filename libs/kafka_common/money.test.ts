import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CURRENCIES, currencyExponent, fromMinorUnits, shippingCost, toMinorUnits, totalOf } from './money.ts';

/** The largest amount: 15 digits, the most that JSON keeps exact. */
const MAX_AMOUNT = 999_999_999_999_999;

const amount = fc.oneof(fc.nat({ max: MAX_AMOUNT }), fc.nat({ max: 100_000 }), fc.constantFrom(0, 1, MAX_AMOUNT));
const exponent = fc.constantFrom(0, 2, 3);

/** Made of digits, without arithmetic on doubles: (15001, 2) is "150.01". */
const asDecimal = (minor: number, decimals: number): string => {
  const digits = String(minor).padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
};

describe('currencies', () => {
  test('have the decimals of ISO 4217', () => {
    for (const [currency, decimals] of [
      ['USD', 2],
      ['EUR', 2],
      ['JPY', 0],
      ['KRW', 0],
      ['KWD', 3],
      ['TND', 3],
    ] as const) {
      assert.equal(currencyExponent(currency), decimals, currency);
    }
  });

  test('that are not in ISO 4217, or have no minor unit, are unknown', () => {
    for (const code of ['', 'usd', 'US', 'XXX', 'XAU', 'BTC', 'constructor']) {
      assert.equal(currencyExponent(code), null, code);
    }
  });

  test('are each listed once, as three capital letters', () => {
    assert.equal(new Set(CURRENCIES).size, CURRENCIES.length);
    assert.deepEqual(
      CURRENCIES.filter((code) => !/^[A-Z]{3}$/.test(code)),
      [],
    );
  });
});

describe('an amount', () => {
  test('of any currency is the same after writing and reading JSON', () => {
    fc.assert(
      fc.property(amount, fc.constantFrom(...CURRENCIES), (minor, currency) => {
        const decimals = currencyExponent(currency) ?? assert.fail(currency);
        const json = JSON.stringify(fromMinorUnits(minor, decimals));
        assert.equal(toMinorUnits(Number(json), decimals), minor);
      }),
      { numRuns: 5_000 },
    );
  });

  test('is the double that its decimal digits mean', () => {
    fc.assert(
      fc.property(amount, exponent, (minor, decimals) => {
        assert.equal(fromMinorUnits(minor, decimals), Number(asDecimal(minor, decimals)));
      }),
      { numRuns: 5_000 },
    );
  });

  test('with one decimal too many is refused', () => {
    const unequalDigit = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(fc.nat({ max: 1e9 }), unequalDigit, exponent, (minor, digit, decimals) => {
        assert.equal(toMinorUnits(Number(asDecimal(minor * 10 + digit, decimals + 1)), decimals), null);
      }),
    );
  });

  test('of -0 is 0', () => assert.equal(toMinorUnits(JSON.parse('-0'), 2), 0));

  const REFUSED: readonly (readonly [string, number, number])[] = [
    ['negative', -0.01, 2],
    ['not a number', NaN, 2],
    ['infinite', Infinity, 2],
    ['of 16 digits', 10_000_000_000_000, 2],
    ['of 16 digits without decimals', 1_000_000_000_000_000, 0],
    ['smaller than the minor unit', 5e-324, 2],
    ['off by the last bit', 0.1 + 0.2, 2],
  ];
  for (const [what, value, decimals] of REFUSED) {
    test(`that is ${what} is refused`, () => assert.equal(toMinorUnits(value, decimals), null));
  }
});

describe('a total', () => {
  test('is the exact sum of quantity x price, or null if that has more than 15 digits', () => {
    const item = fc.record({ quantity: fc.integer({ min: 1, max: 1_000_000 }), price: amount });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), (items) => {
        const exact = items.reduce((sum, { quantity, price }) => sum + BigInt(quantity) * BigInt(price), 0n);
        assert.equal(totalOf(items), exact > BigInt(MAX_AMOUNT) ? null : Number(exact));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('shipping', () => {
  test('costs 2 % of the total, rounded half up to the minor unit', () => {
    fc.assert(
      fc.property(amount, (total) => {
        // round(2 t / 100) half up = floor((2 t + 50) / 100)
        assert.equal(shippingCost(total), Number((2n * BigInt(total) + 50n) / 100n));
      }),
      { numRuns: 5_000 },
    );
  });

  test('of 150.00 is 3.00, and half a cent counts as one', () => {
    assert.deepEqual([15_000, 24, 25, 74, 75, 0].map(shippingCost), [300, 0, 1, 1, 2, 0]);
  });
});
