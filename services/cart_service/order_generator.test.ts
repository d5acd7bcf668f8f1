import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '#kafka_common/field_kinds.ts';
import { CURRENCIES, currencyExponent, totalOf } from '#kafka_common/money.ts';
import { decodeEvent, encodeEvent } from '#kafka_common/serdes_json.ts';
import { anyId, anyItems } from '#tests/support/any_events.ts';
import { generateOrder, type OrderDraft } from './order_generator.ts';

const DATE = '2026-01-18T12:00:00.000Z';
const EMPTY: OrderDraft = { orderId: 'ORD-1', numberOfItems: 2, items: null, customerId: null, currency: null };
const ALMOST_ONE = 1 - 2 ** -53;

const randomFrom = fc.infiniteStream(
  fc.oneof(fc.double({ min: 0, max: ALMOST_ONE, noNaN: true }), fc.constantFrom(0, ALMOST_ONE)),
);

/** A source of random numbers that fast-check chose. */
const drawing = (numbers: fc.Stream<number>) => (): number => numbers.next().value ?? 0;

const anyDraft: fc.Arbitrary<OrderDraft> = fc
  .record({
    orderId: fc.stringMatching(/^ORD-[0-9]{1,64}$/),
    numberOfItems: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.constant(LIMITS.items)),
    items: fc.option(anyItems),
    customerId: fc.option(anyId),
    currency: fc.option(fc.constantFrom(...CURRENCIES)),
  })
  .map((draft) => ({ ...draft, numberOfItems: draft.items?.length ?? draft.numberOfItems }));

describe('a generated order', () => {
  test('from the lowest random numbers has the smallest values', () => {
    assert.deepEqual(
      generateOrder(EMPTY, DATE, () => 0),
      {
        orderId: 'ORD-1',
        customerId: 'CUST-00001',
        orderDate: DATE,
        items: [
          { itemId: 'ITEM-001', quantity: 1, price: 100 },
          { itemId: 'ITEM-002', quantity: 1, price: 100 },
        ],
        totalAmount: 200,
        currency: 'USD',
        status: 'new',
      },
    );
  });

  test('from the highest random numbers has the largest values', () => {
    assert.deepEqual(
      generateOrder(EMPTY, DATE, () => ALMOST_ONE),
      {
        orderId: 'ORD-1',
        customerId: 'CUST-99999',
        orderDate: DATE,
        items: [
          { itemId: 'ITEM-001', quantity: 5, price: 200 },
          { itemId: 'ITEM-002', quantity: 5, price: 200 },
        ],
        totalAmount: 2_000,
        currency: 'JPY',
        status: 'new',
      },
    );
  });

  test('has prices of 1 to 200 whole units of its currency', () => {
    for (const currency of CURRENCIES) {
      const unit = 10 ** (currencyExponent(currency) ?? assert.fail(currency));
      const prices = [0, ALMOST_ONE].map((n) => generateOrder({ ...EMPTY, currency }, DATE, () => n).items[0]?.price);
      assert.deepEqual(prices, [unit, 200 * unit], currency);
    }
  });

  test('keeps the fields of its draft, and adds up its items', () => {
    fc.assert(
      fc.property(anyDraft, randomFrom, (draft, numbers) => {
        const order = generateOrder(draft, DATE, drawing(numbers));
        assert.deepEqual(order.items, draft.items ?? order.items);
        assert.deepEqual(
          [order.orderId, order.customerId, order.currency, order.orderDate, order.status],
          [draft.orderId, draft.customerId ?? order.customerId, draft.currency ?? order.currency, DATE, 'new'],
        );
        assert.equal(order.items.length, draft.numberOfItems);
        if (draft.items === null)
          assert.equal(new Set(order.items.map(({ itemId }) => itemId)).size, order.items.length);
        assert.equal(order.totalAmount, totalOf(order.items));
      }),
    );
  });

  test('from any draft is an order that readers of the topic accept', () => {
    fc.assert(
      fc.property(anyDraft, randomFrom, (draft, numbers) => {
        const order = generateOrder(draft, DATE, drawing(numbers));
        const envelope = { eventId: 'e', timestamp: DATE, orderId: draft.orderId, version: 1 };
        const event = { ...envelope, type: 'ORDER_CREATED', order } as const;
        const { key, value } = encodeEvent(event, '');
        const decoded = decodeEvent({ key: Buffer.from(key), value: Buffer.from(value) });
        assert.deepEqual(decoded, { kind: 'event', event, keyMatches: true });
      }),
    );
  });
});
