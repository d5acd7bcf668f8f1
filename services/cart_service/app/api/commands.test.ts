import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Static } from 'typebox';
import { Problem } from '#service_common/errors.ts';
import { toCreateOrder, toUpdateOrder } from './commands.ts';
import type { CreateOrderBody } from './schemas.ts';

type Body = Static<typeof CreateOrderBody>;

const ITEM = { item_id: 'ITEM-001', quantity: 2, price: 75 };

const draftOf = (body: Body) => toCreateOrder(body).draft;

describe('a create command', () => {
  test('of a count leaves all else to be generated', () => {
    assert.deepEqual(draftOf({ order_id: '1', number_of_items: 3 }), {
      orderId: 'ORD-1',
      numberOfItems: 3,
      items: null,
      customerId: null,
      currency: null,
    });
  });

  test('of items counts them, and takes US dollars where no currency is given', () => {
    assert.deepEqual(draftOf({ order_id: 'ORD-1', items: [ITEM, ITEM], customer_id: 'c' }), {
      orderId: 'ORD-1',
      numberOfItems: 2,
      items: [
        { itemId: 'ITEM-001', quantity: 2, price: 7_500 },
        { itemId: 'ITEM-001', quantity: 2, price: 7_500 },
      ],
      customerId: 'c',
      currency: 'USD',
    });
  });

  test('of items in a currency has prices in its minor units', () => {
    for (const [currency, price, minor] of [
      ['JPY', 75, 75],
      ['USD', 75.01, 7_501],
      ['KWD', 75.001, 75_001],
    ] as const) {
      const { items } = draftOf({ order_id: '1', items: [{ ...ITEM, price }], currency });
      assert.deepEqual(items, [{ itemId: 'ITEM-001', quantity: 2, price: minor }]);
    }
  });

  test('of a currency alone keeps it for what is generated', () => {
    assert.equal(draftOf({ order_id: '1', number_of_items: 1, currency: 'JPY' }).currency, 'JPY');
  });
});

const REFUSED: readonly (readonly [circumstance: string, body: Body, field: string, message: RegExp])[] = [
  [
    'with a count that is not that of its items',
    { order_id: '1', number_of_items: 2, items: [ITEM] },
    'number_of_items',
    /is 2, but 1 items are given/,
  ],
  ['in no currency', { order_id: '1', number_of_items: 1, currency: 'XXX' }, 'currency', /XXX is not a currency/],
  [
    'with a price finer than the currency',
    { order_id: '1', items: [ITEM, { ...ITEM, price: 0.5 }], currency: 'JPY' },
    'items.1.price',
    /more than the 0 decimals of JPY/,
  ],
  [
    'with a price that is too large',
    { order_id: '1', items: [{ ...ITEM, price: 1e13 }] },
    'items.0.price',
    /is too large/,
  ],
  [
    'with a total that is too large',
    { order_id: '1', items: [{ ...ITEM, quantity: 1_000, price: 1e11 }] },
    'items',
    /total that is too large/,
  ],
];

describe('a create body that its schema has passed', () => {
  for (const [circumstance, body, field, message] of REFUSED) {
    test(`${circumstance} is refused, naming the field`, () => {
      assert.throws(
        () => toCreateOrder(body),
        (error) => {
          assert.ok(error instanceof Problem);
          const [first, ...others] = error.extras.errors ?? [];
          assert.deepEqual([error.code, first?.field, others], ['ValidationFailed', field, []]);
          assert.match(first?.message ?? '', message);
          return true;
        },
      );
    });
  }
});

describe('the fingerprint', () => {
  const base: Body = { order_id: '1', items: [ITEM] };

  test('is the same however the same request is spelled', () => {
    const spellings: Body[] = [
      base,
      { ...base, order_id: 'ORD-1' },
      { ...base, number_of_items: 1 },
      { ...base, currency: 'USD' },
      { ...base, items: [{ price: 75, quantity: 2, item_id: 'ITEM-001' }] },
    ];
    assert.equal(new Set(spellings.map((body) => toCreateOrder(body).fingerprint)).size, 1);
    const statuses = ['shipped', 'SHIPPED'].map((status) => toUpdateOrder({ order_id: '1', status }).fingerprint);
    assert.equal(new Set(statuses).size, 1);
  });

  test('differs in whatever the requests differ', () => {
    const fingerprints = [
      ...[
        base,
        { ...base, order_id: '01' },
        { ...base, items: [ITEM, ITEM] },
        { ...base, items: [{ ...ITEM, price: 75.01 }] },
        { ...base, items: [{ ...ITEM, quantity: 3 }] },
        { ...base, items: [{ ...ITEM, item_id: 'ITEM-002' }] },
        { ...base, customer_id: 'c' },
        { ...base, currency: 'EUR' },
        { order_id: '1', number_of_items: 1 },
        { order_id: '1', number_of_items: 2 },
        { order_id: '1', number_of_items: 1, currency: 'USD' },
      ].map((body) => toCreateOrder(body).fingerprint),
      ...['shipped', 'pending'].map((status) => toUpdateOrder({ order_id: '1', status }).fingerprint),
      toUpdateOrder({ order_id: '2', status: 'shipped' }).fingerprint,
    ];
    assert.equal(new Set(fingerprints).size, fingerprints.length);
  });
});
