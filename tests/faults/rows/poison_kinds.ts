import { toWire } from '#kafka_common/events.ts';
import { directOrderId, historyOf } from '#tests/faults/direct_events.ts';

/** A bad message that anybody may write to the topic, and what the Order Service must do with it. */
export interface Poison {
  readonly what: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** `dead_letter`, or `counted`: a valid event with a wrong key, which is applied and counted. */
  readonly becomes: 'dead_letter' | 'counted';
}

type Json = Record<string, unknown>;

const FAMILY = 1;

/** The JSON of a valid create, for other code to spoil. Each number gives another order. */
const goodCreate = (number: number): Json & { order: Json } => {
  const [created] = historyOf(directOrderId(FAMILY, number), []);
  if (created === undefined) throw new Error('a history begins with a create');
  return structuredClone(toWire(created)) as unknown as Json & { order: Json };
};

const goodUpdate = (number: number): Json => {
  const { order: _order, ...envelope } = goodCreate(number);
  return { ...envelope, event_type: 'ORDER_STATUS_UPDATED', version: 2, status: 'confirmed' };
};

const item = (fields: Json): Json => ({ item_id: 'ITEM-001', quantity: 1, price: 1, ...fields });

/** Not made by `JSON.stringify`, which fails on such depths. */
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

const VALUES: Readonly<Record<string, Buffer | string | Json | null>> = {
  'a tombstone': null,
  'an empty value': '',
  'bytes that are not UTF-8': Buffer.from([0x7b, 0xff, 0xfe, 0x80, 0x7d]),
  'UTF-16': Buffer.from(JSON.stringify(goodUpdate(1)), 'utf16le'),
  'text that is not JSON': 'hello',
  'JSON that is cut off': JSON.stringify(goodCreate(2)).slice(0, -2),
  'JSON null': 'null',
  'a JSON number': '42',
  'a JSON string': '"ORDER_CREATED"',
  'a JSON array': '[{"event_type":"ORDER_CREATED"}]',
  'an empty object': {},
  'an order missing': without(goodCreate(3), 'order'),
  'an event id missing': without(goodUpdate(4), 'event_id'),
  'an order of a wrong type': { ...goodCreate(5), order: 'ORD-5' },
  'an unknown event type': { ...goodUpdate(6), event_type: 'ORDER_EXPLODED' },
  'an event type that is an object': { ...goodUpdate(7), event_type: { toString: null } },
  'a negative version': { ...goodUpdate(8), version: -1 },
  'version 0': { ...goodUpdate(9), version: 0 },
  'a fraction as version': { ...goodUpdate(10), version: 1.5 },
  'a version beyond what is exact': { ...goodUpdate(11), version: 1e300 },
  'a version in quotes': { ...goodUpdate(12), version: '2' },
  'an invalid order id': { ...goodUpdate(13), order_id: 'ORD-12a' },
  'another order id in the body': withOrder(14, { order_id: directOrderId(FAMILY, 9_999) }),
  'an amount beyond what is exact': withOrder(15, { items: [item({ price: 1e16 })], total_amount: 1e16 }),
  'an amount in quotes': withOrder(16, { items: [item({ price: '0.01' })], total_amount: 0.01 }),
  'a negative price': withOrder(17, { items: [item({ price: -1 })], total_amount: -1 }),
  'a version that no writer may give': { ...goodUpdate(18), version: 2_147_483_648 },
  'a quantity of 0': withOrder(19, { items: [item({ quantity: 0 })], total_amount: 0 }),
  'no items': withOrder(20, { items: [], total_amount: 0 }),
  'too many items': withOrder(21, { items: Array.from({ length: 1_001 }, () => item({})), total_amount: 1_001 }),
  'an unknown currency': withOrder(22, { currency: 'XXX' }),
  'a currency in lower case': withOrder(23, { currency: 'usd' }),
  'an unknown status': { ...goodUpdate(24), status: 'lost' },
  'a date that does not exist': { ...goodUpdate(25), timestamp: '2026-02-30T12:00:00Z' },
  'a date that is a number': { ...goodUpdate(26), timestamp: 1_768_737_600 },
  'deep nesting': nested(200_000),
  'deep nesting where the event type belongs': `{"event_type":${nested(100_000)}}`,
  'a prototype to pollute': `{"__proto__":{"event_type":"ORDER_CREATED"},"order":{"constructor":null}}`,
  '900 KB': { ...goodUpdate(27), event_type: 'x'.repeat(900_000) },
  '900 KB of broken items': withOrder(28, { items: Array.from({ length: 300_000 }, () => ({})) }),
};

const KEYS: Readonly<Record<string, Buffer | null>> = {
  'no key': null,
  'an empty key': Buffer.alloc(0),
  "another order's key": Buffer.from(directOrderId(FAMILY, 9_998)),
  'a key that is not UTF-8': Buffer.from([0xff, 0x00, 0x80]),
};

export const POISON: readonly Poison[] = [
  ...Object.entries(VALUES).map(([what, value], index): Poison => ({
    what,
    key: Buffer.from(directOrderId(FAMILY, index)),
    value: bytesOf(value),
    becomes: 'dead_letter',
  })),
  ...Object.entries(KEYS).map(([what, key], index): Poison => ({
    what,
    key,
    value: bytesOf(goodCreate(1_000 + index)),
    becomes: 'counted',
  })),
];

/** The orders that must exist although their events had wrong keys. */
export const COUNTED_ORDERS: readonly string[] = Object.keys(KEYS).map((_, index) =>
  directOrderId(FAMILY, 1_000 + index),
);

function without(json: Json, field: string): Json {
  const { [field]: _removed, ...rest } = json;
  return rest;
}

function withOrder(number: number, fields: Json): Json {
  const created = goodCreate(number);
  return { ...created, order: { ...created.order, ...fields } };
}

function bytesOf(value: Buffer | string | Json | null): Buffer | null {
  if (value === null || Buffer.isBuffer(value)) return value;
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}
