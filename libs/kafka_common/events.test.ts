import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from './field_kinds.ts';
import { fromWire, type OrderEvent, toWire } from './events.ts';
import { InvalidEvent } from './invalid_event.ts';
import { anyEvent } from '#tests/support/any_events.ts';

type Json = Record<string, unknown>;

const STATUS_UPDATED: Json = {
  event_id: 'event-2',
  event_type: 'ORDER_STATUS_UPDATED',
  timestamp: '2026-01-18T12:00:00.000Z',
  order_id: 'ORD-123',
  version: 2,
  status: 'confirmed',
};

const ITEM: Json = { item_id: 'ITEM-001', quantity: 2, price: 75 };

const ORDER: Json = {
  order_id: 'ORD-123',
  customer_id: 'CUST-00042',
  order_date: '2026-01-18T12:00:00.000Z',
  items: [ITEM],
  total_amount: 150,
  currency: 'USD',
  status: 'new',
};

const CREATED: Json = {
  event_id: 'event-1',
  event_type: 'ORDER_CREATED',
  timestamp: '2026-01-18T12:00:00.000Z',
  order_id: 'ORD-123',
  version: 1,
  order: ORDER,
};

const updated = (changes: Json): Json => ({ ...STATUS_UPDATED, ...changes });
const created = (order: Json, event: Json = {}): Json => ({ ...CREATED, ...event, order: { ...ORDER, ...order } });
const item = (changes: Json): Json => created({ items: [{ ...ITEM, ...changes }] });
const without = (json: Json, field: string): Json =>
  Object.fromEntries(Object.entries(json).filter(([k]) => k !== field));

/** `fromWire` gets values from `JSON.parse` only. */
const read = (json: unknown): OrderEvent => fromWire(JSON.parse(JSON.stringify(json)));

test('the order of the contract is read with all its fields, its money in minor units', () => {
  assert.deepEqual(read(CREATED), {
    type: 'ORDER_CREATED',
    eventId: 'event-1',
    timestamp: '2026-01-18T12:00:00.000Z',
    orderId: 'ORD-123',
    version: 1,
    order: {
      orderId: 'ORD-123',
      customerId: 'CUST-00042',
      orderDate: '2026-01-18T12:00:00.000Z',
      items: [{ itemId: 'ITEM-001', quantity: 2, price: 7_500 }],
      totalAmount: 15_000,
      currency: 'USD',
      status: 'new',
    },
  } satisfies OrderEvent);
});

test('the change of status of the contract is read with all its fields', () => {
  assert.deepEqual(read(STATUS_UPDATED), {
    type: 'ORDER_STATUS_UPDATED',
    eventId: 'event-2',
    timestamp: '2026-01-18T12:00:00.000Z',
    orderId: 'ORD-123',
    version: 2,
    status: 'confirmed',
  } satisfies OrderEvent);
});

test('both are written as in the contract', () => {
  assert.deepEqual(toWire(read(CREATED)), CREATED);
  assert.deepEqual(toWire(read(STATUS_UPDATED)), STATUS_UPDATED);
});

test('any event is the same after writing and reading', () => {
  fc.assert(
    fc.property(anyEvent, (event) => assert.deepEqual(read(toWire(event)), event)),
    { numRuns: 1_000 },
  );
});

const INVALID: readonly (readonly [circumstance: string, json: unknown, reason: RegExp])[] = [
  ['a text', 'ORDER_CREATED', /not a JSON object/],
  ['a number', 1, /not a JSON object/],
  ['null', null, /not a JSON object/],
  ['an array', [CREATED], /not a JSON object/],
  ['an empty object', {}, /unknown event_type undefined/],
  ['of an unknown type', updated({ event_type: 'ORDER_DELETED' }), /unknown event_type "ORDER_DELETED"/],
  ['of a type in lower case', updated({ event_type: 'order_status_updated' }), /unknown event_type/],
  ['of a type that is not a text', updated({ event_type: { a: 1 } }), /unknown event_type of type object/],
  ['without its status', without(STATUS_UPDATED, 'status'), /required.* status$/],
  ['with an unknown status', updated({ status: 'lost' }), /unknown status "lost"/],
  ['with a status that is not a text', updated({ status: 1 }), /^status /],
  ['without an event id', without(STATUS_UPDATED, 'event_id'), /required.* event_id$/],
  ['with an empty event id', updated({ event_id: '' }), /^event_id /],
  ['with a long event id', updated({ event_id: 'e'.repeat(LIMITS.idLength + 1) }), /^event_id /],
  ['without a timestamp', without(STATUS_UPDATED, 'timestamp'), /required.* timestamp$/],
  ['with a timestamp in milliseconds', updated({ timestamp: 1_768_737_600_000 }), /^timestamp /],
  ['with a day that does not exist', updated({ timestamp: '2026-02-30' }), /timestamp "2026-02-30" is not a date/],
  ['with an hour that does not exist', updated({ timestamp: '2026-01-18T25:00:00Z' }), /is not a date/],
  ['with a zone that does not exist', updated({ timestamp: '2026-01-18T12:00:00+99:00' }), /is not a date/],
  [
    'with an hour that does not exist, in UTC with ms',
    updated({ timestamp: '2026-01-18T30:00:00.000Z' }),
    /is not a date/,
  ],
  ['with a second that does not exist', updated({ timestamp: '2026-01-18T12:00:61.000Z' }), /is not a date/],
  ['with a year beyond 9999 in UTC', updated({ timestamp: '9999-12-31T23:00-05:00' }), /is not a date/],
  ['with a year before 0000 in UTC', updated({ timestamp: '0000-01-01T00:00+05:00' }), /is not a date/],
  ['with a date in words', updated({ timestamp: '18 January 2026' }), /^timestamp /],
  ['without an order id', without(STATUS_UPDATED, 'order_id'), /required.* order_id$/],
  ['with an order id of letters', updated({ order_id: 'ORD-ABC' }), /^order_id /],
  ['with an order id that is a number', updated({ order_id: 123 }), /^order_id /],
  ['with version 0', updated({ version: 0 }), /^version /],
  ['with a version of the wrong type', updated({ version: '2' }), /^version /],
  ['with half a version', updated({ version: 1.5 }), /^version /],
  ['with a version above the last one', updated({ version: 2_147_483_648 }), /^version must be <= 2147483647$/],
  ['with a version beyond exact numbers', updated({ version: 2 ** 53 }), /^version /],
  ['with version null', updated({ version: null }), /^version /],
  ['without its order', without(CREATED, 'order'), /^order /],
  ['with an order that is an array', { ...CREATED, order: [] }, /^order /],
  ['about another order than its own', created({ order_id: 'ORD-7' }), /ORD-123 and order.order_id ORD-7 differ/],
  ['with an unknown status of the order', created({ status: 'open' }), /unknown status "open"/],
  ['without a customer', { ...CREATED, order: without(ORDER, 'customer_id') }, /^order .*customer_id/],
  ['without items', created({ items: [], total_amount: 0 }), /^order\.items /],
  ['with too many items', created({ items: Array.from({ length: LIMITS.items + 1 }, () => ITEM) }), /^order\.items /],
  [
    'with too many items, all of them broken',
    created({ items: Array.from({ length: LIMITS.items + 1 }, () => ({})) }),
    /^order\.items must not have more than 1000 items$/,
  ],
  ['with items that are not an array', created({ items: { 0: ITEM } }), /^order\.items /],
  ['with an item that is null', created({ items: [null] }), /^order\.items\.0 /],
  ['with an item without a price', created({ items: [without(ITEM, 'price')] }), /^order\.items\.0 .*price/],
  ['with a quantity of 0', item({ quantity: 0 }), /^order\.items\.0\.quantity /],
  ['with a quantity too large', item({ quantity: LIMITS.quantity + 1 }), /^order\.items\.0\.quantity /],
  ['with half a piece', item({ quantity: 0.5 }), /^order\.items\.0\.quantity /],
  ['with a negative price', item({ price: -75 }), /^order\.items\.0\.price /],
  ['with a price that was NaN', item({ price: NaN }), /^order\.items\.0\.price /],
  ['with a price that is a text', item({ price: '75.00' }), /^order\.items\.0\.price /],
  ['with a total that is too large', created({ total_amount: 1e16 }), /^total_amount /],
  ['with a negative total', created({ total_amount: -150 }), /^order\.total_amount /],
  ['with an unknown currency', created({ currency: 'XXX' }), /currency "XXX" is not one of ISO 4217/],
  ['with a currency in lower case', created({ currency: 'usd' }), /^order\.currency /],
];

test('the last version is read', () => {
  assert.equal(read(updated({ version: 2_147_483_647 })).version, 2_147_483_647);
});

test('an event that no reader would accept is not written', () => {
  const event = read(STATUS_UPDATED);
  for (const [changes, reason] of [
    [{ version: 2_147_483_648 }, /^version must be <= 2147483647$/],
    [{ version: 9_007_199_254_740_991 }, /^version /],
    [{ version: 0 }, /^version /],
    [{ eventId: '' }, /^event_id /],
    [{ orderId: '123' }, /^order_id /],
    [{ timestamp: '2026-01-18' }, /^timestamp /],
  ] as const) {
    assert.throws(
      () => toWire({ ...event, ...changes }),
      (error) => error instanceof InvalidEvent && reason.test(error.message),
    );
  }
  const creation = read(CREATED);
  assert.ok(creation.type === 'ORDER_CREATED');
  const { order } = creation;
  for (const changes of [{ items: [] }, { totalAmount: -1 }, { totalAmount: NaN }, { currency: 'XXX' }]) {
    assert.throws(() => toWire({ ...creation, order: { ...order, ...changes } }), InvalidEvent);
  }
});

describe('an event is refused', () => {
  for (const [circumstance, json, reason] of INVALID) {
    test(`${circumstance}, with the reason`, () => {
      assert.throws(
        () => read(json),
        (error) => {
          assert.ok(error instanceof InvalidEvent);
          assert.match(error.message, reason);
          return true;
        },
      );
    });
  }

  test('with no more than 100 characters of it in the reason', () => {
    for (const json of [updated({ status: 'x'.repeat(1_000_000) }), updated({ event_type: '\0'.repeat(1_000_000) })]) {
      assert.throws(
        () => read(json),
        (error) => error instanceof InvalidEvent && error.message.length < 1_000,
      );
    }
  });
});

const orderOf = (json: Json) => {
  const event = read(json);
  return event.type === 'ORDER_CREATED' ? event.order : assert.fail(event.type);
};

describe('an event of another producer:', () => {
  test('camelCase in the order and its items is read like snake_case, and snake_case counts if both are there', () => {
    const camelCase = {
      orderId: 'ORD-123',
      customerId: 'CUST-00042',
      orderDate: '2026-01-18T12:00:00.000Z',
      items: [{ itemId: 'ITEM-001', quantity: 2, price: 75 }],
      totalAmount: 150,
      currency: 'USD',
      status: 'new',
    };
    assert.deepEqual(orderOf({ ...CREATED, order: camelCase }), orderOf(CREATED));
    assert.equal(orderOf(created({ customerId: 'another' })).customerId, 'CUST-00042');
  });

  const DATES: readonly (readonly [string, string])[] = [
    ['2026-01-18', '2026-01-18T00:00:00.000Z'],
    ['2026-01-18T24:00:00.000Z', '2026-01-19T00:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['2026-01-18T12:00', '2026-01-18T12:00:00.000Z'],
    ['2026-01-18T12:00:01', '2026-01-18T12:00:01.000Z'],
    ['2026-01-18 12:00:01', '2026-01-18T12:00:01.000Z'],
    ['2026-01-18T12:00:01.123456789', '2026-01-18T12:00:01.123Z'],
    ['2026-01-18T12:00:01Z', '2026-01-18T12:00:01.000Z'],
    ['2026-01-18T12:00:01+02:00', '2026-01-18T10:00:01.000Z'],
    ['2026-01-18 23:00:00.5-0530', '2026-01-19T04:30:00.500Z'],
  ];
  for (const [text, utc] of DATES) {
    test(`the date ${text} is ${utc}`, () => {
      assert.equal(read(updated({ timestamp: text })).timestamp, utc);
      assert.equal(orderOf(created({ order_date: text })).orderDate, utc);
    });
  }

  test('a date means the same whatever zone the service runs in', (t) => {
    const zone = process.env['TZ'];
    t.after(() => {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    });
    for (const other of ['America/St_Johns', 'Pacific/Kiritimati']) {
      process.env['TZ'] = other;
      for (const [text, utc] of DATES) assert.equal(read(updated({ timestamp: text })).timestamp, utc, other);
    }
  });

  test('an unknown extra field is ignored, at every level', () => {
    const extra = { extra: [1, { deep: null }], toString: 'x' };
    assert.deepEqual(read(created({ ...extra, items: [{ ...ITEM, ...extra }] }, extra)), read(CREATED));
  });

  test('a missing version is null', () => {
    assert.equal(read(without(STATUS_UPDATED, 'version')).version, null);
    assert.equal(read(without(CREATED, 'version')).version, null);
  });

  test('a status in any case is read in lower case', () => {
    assert.equal(orderOf(created({ status: 'NEW' })).status, 'new');
    assert.deepEqual(read(updated({ status: 'Confirmed' })), read(STATUS_UPDATED));
  });

  test('an order id without `ORD-` gains it', () => {
    assert.deepEqual(read(updated({ order_id: '123' })), read(STATUS_UPDATED));
    assert.deepEqual(read(created({ order_id: '123' })), read(CREATED));
  });
});
