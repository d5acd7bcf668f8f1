import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { money, timesPrice } from './format.js';

describe('an amount', () => {
  for (const [amount, currency, shown] of [
    [150.5, 'EUR', '150.50 EUR'],
    [1_500, 'JPY', '1,500 JPY'],
    [45.31, 'JPY', '45.31 JPY'],
    [0.1, 'KRW', '0.1 KRW'],
    [10.005, 'USD', '10.005 USD'],
    [1e-7, 'USD', '0.0000001 USD'],
    [1.2345, 'KWD', '1.2345 KWD'],
    [976.58, 'not a currency', '976.58 not a currency'],
  ] as const) {
    test(`of ${amount} in ${currency} is shown as ${shown}`, () => assert.equal(money(amount, currency), shown));
  }

  for (const [price, quantity, sum] of [
    [45.31, 3, 135.93],
    [0.1, 3, 0.3],
    [75.25, 2, 150.5],
    [1_500, 7, 10_500],
  ] as const) {
    test(`of ${price} times ${quantity} is ${sum}`, () => assert.equal(timesPrice(price, quantity), sum));
  }
});
