import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Static } from 'typebox';
import type { FromClient } from '#kafka_common/fields.ts';
import type { ORDER, Order } from '#kafka_common/models.ts';
import { Problem } from '#service_common/errors.ts';
import { generateOrder } from '#cart_service/order_generator.ts';
import { toCreateOrder, toUpdateOrder } from './commands.ts';
import type { CreateOrderBody } from './schemas.ts';

type Body = Static<typeof CreateOrderBody>;

const ITEM = { item_id: 'ITEM-001', quantity: 2, price: 75 };

const draftOf = (body: Body) => toCreateOrder(body).draft;

describe('a create command', () => {
  test('with a number of items alone leaves the rest to be generated', () => {
    assert.deepEqual(draftOf({ order_id: '1', number_of_items: 3 }), {
      orderId: 'ORD-1',
      numberOfItems: 3,
      items: null,
      customerId: null,
      currency: null,
    });
  });

  test('with items counts them, and uses US dollars if no currency is given', () => {
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

  test('with items in a currency has prices in its minor units', () => {
    for (const [currency, price, minor] of [
      ['JPY', 75, 75],
      ['USD', 75.01, 7_501],
      ['KWD', 75.001, 75_001],
    ] as const) {
      const { items } = draftOf({ order_id: '1', items: [{ ...ITEM, price }], currency });
      assert.deepEqual(items, [{ itemId: 'ITEM-001', quantity: 2, price: minor }]);
    }
  });

  test('with a currency alone generates its items in this currency', () => {
    assert.equal(draftOf({ order_id: '1', number_of_items: 1, currency: 'JPY' }).currency, 'JPY');
  });
});

/** A field that clients may give and that is added to the order is a type error here until it has an example. */
const GIVEN: { readonly [K in keyof FromClient<typeof ORDER>]: readonly [Partial<Body>, Order[K]] } = {
  items: [{ items: [ITEM] }, [{ itemId: 'ITEM-001', quantity: 2, price: 7_500 }]],
  customerId: [{ customer_id: 'c' }, 'c'],
  currency: [{ currency: 'KWD' }, 'KWD'],
};

describe('a field that the client gives', () => {
  const base = { order_id: '1', number_of_items: 1 };
  for (const [name, [given, expected]] of Object.entries(GIVEN)) {
    test(`${name} becomes a part of the order and of the fingerprint`, () => {
      const command = toCreateOrder({ ...base, ...given });
      const order = generateOrder(command.draft, '2026-01-18T12:00:00.000Z', () => 0);
      assert.deepEqual(order[name as keyof typeof GIVEN], expected);
      assert.notEqual(command.fingerprint, toCreateOrder(base).fingerprint);
    });
  }
});

const REFUSED: readonly (readonly [circumstance: string, body: Body, field: string, message: RegExp])[] = [
  [
    'with a number that is not the number of its items',
    { order_id: '1', number_of_items: 2, items: [ITEM] },
    'number_of_items',
    /is 2, but 1 items are given/,
  ],
  [
    'with an unknown currency',
    { order_id: '1', number_of_items: 1, currency: 'XXX' },
    'currency',
    /XXX is not a currency/,
  ],
  [
    'with more decimals than the currency has',
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

describe('a create body that is valid by its schema', () => {
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

  test('is the same for every spelling of the same request', () => {
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

  test('differs if the requests differ in anything', () => {
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
