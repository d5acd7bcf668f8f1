import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACCEPTED, WRITTEN } from '#kafka_common/event_schemas.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import { brokenConsumers, brokenProducers, lostEvents } from './breaches.ts';
import type { Schema } from './containment.ts';
import { type Release, releases } from './releases.ts';

/** Changes that would break a consumer or a producer: the check must find them. */

type Schemas = Record<string, Schema>;

const today = { written: WRITTEN as Schemas, accepted: ACCEPTED as Schemas };

/** A copy of the schemas with one of them changed, as a change of the code would do. */
const changed = (schemas: Schemas, type: string, change: (schema: any) => void): Schemas => {
  const copy = JSON.parse(JSON.stringify(schemas)) as Schemas;
  change(copy[type]);
  return copy;
};

describe('the check reports', () => {
  const release: Release = releases()[0] ?? assert.fail('no version was released');

  const TO_CONSUMERS: readonly (readonly [string, string, (schema: any) => void, string])[] = [
    [
      'a field that may be missing',
      'ORDER_CREATED',
      (s) => s.required.splice(s.required.indexOf('timestamp'), 1),
      'ORDER_CREATED.timestamp can be missing',
    ],
    [
      'a nested field that may be missing',
      'ORDER_CREATED',
      (s) => delete s.properties.order.required,
      'ORDER_CREATED.order.order_id can be missing',
    ],
    [
      'a type that changes',
      'ORDER_STATUS_UPDATED',
      (s) => (s.properties.version = { type: 'string' }),
      'ORDER_STATUS_UPDATED.version is string, not integer',
    ],
    [
      'a fraction instead of a whole number',
      'ORDER_CREATED',
      (s) => (s.properties.order.properties.items.items.properties.quantity.type = 'number'),
      'ORDER_CREATED.order.items[].quantity is number, not integer',
    ],
    [
      'a new status',
      'ORDER_STATUS_UPDATED',
      (s) => s.properties.status.enum.push('returned'),
      'ORDER_STATUS_UPDATED.status can be "returned"',
    ],
    [
      'a status that can be anything',
      'ORDER_STATUS_UPDATED',
      (s) => delete s.properties.status.enum,
      'ORDER_STATUS_UPDATED.status can be anything but a few values',
    ],
    [
      'order ids of letters',
      'ORDER_CREATED',
      (s) => (s.properties.order_id.pattern = '^ORD-[A-Z]{3}$'),
      'ORDER_CREATED.order_id can be',
    ],
    [
      'an order id that can be any text',
      'ORDER_CREATED',
      (s) => delete s.properties.order_id.pattern,
      'ORDER_CREATED.order_id can be any text',
    ],
    [
      'more items',
      'ORDER_CREATED',
      (s) => (s.properties.order.properties.items.maxItems = 2_000),
      'ORDER_CREATED.order.items has the maxItems 2000, not 1000',
    ],
    [
      'a negative price',
      'ORDER_CREATED',
      (s) => delete s.properties.order.properties.items.items.properties.price.minimum,
      'ORDER_CREATED.order.items[].price has the minimum none, not 0',
    ],
  ];
  for (const [what, type, change, expected] of TO_CONSUMERS) {
    test(`${what}, to consumers`, () => {
      const [first = 'nothing'] = brokenConsumers(changed(today.written, type, change), release);
      assert.ok(first.startsWith(expected), first);
    });
  }

  test('a new type of event, to consumers', () => {
    const written = { ...today.written, ORDER_DELETED: { type: 'object' } };
    assert.deepEqual(brokenConsumers(written, release), ['ORDER_DELETED is not known']);
  });

  const TO_PRODUCERS: readonly (readonly [string, string, (schema: any) => void, string])[] = [
    [
      'a new field that is required',
      'ORDER_CREATED',
      (s) => s.required.push('region'),
      'ORDER_CREATED.region can be missing',
    ],
    [
      'a field that may not be left out any more',
      'ORDER_STATUS_UPDATED',
      (s) => s.required.push('version'),
      'ORDER_STATUS_UPDATED.version can be missing',
    ],
    [
      'a value that is not read any more',
      'ORDER_STATUS_UPDATED',
      (s) => (s.properties.status = { type: 'string', enum: ['new', 'confirmed'] }),
      'ORDER_STATUS_UPDATED.status can be "pending"',
    ],
    [
      'a type that changes',
      'ORDER_CREATED',
      (s) => (s.properties.order.properties.total_amount = { type: 'string' }),
      'ORDER_CREATED.order.total_amount is number, not string',
    ],
    [
      'shorter ids',
      'ORDER_CREATED',
      (s) => (s.properties.event_id.maxLength = 36),
      'ORDER_CREATED.event_id has the maxLength 128, not 36',
    ],
    [
      'stricter dates',
      'ORDER_CREATED',
      (s) => (s.properties.timestamp.pattern = 'T.*Z$'),
      'ORDER_CREATED.timestamp can be',
    ],
  ];
  for (const [what, type, change, expected] of TO_PRODUCERS) {
    test(`${what}, to producers`, () => {
      const breaches = brokenProducers(changed(today.accepted, type, change), release);
      assert.ok(
        breaches.some((breach) => breach.startsWith(expected)),
        breaches.join('\n'),
      );
    });
  }

  test('events that are refused, or read differently', () => {
    const strict = lostEvents((record) => {
      const decoded = decodeEvent(record);
      const isGone =
        decoded.kind === 'event' && decoded.event.type === 'ORDER_CREATED' && decoded.event.order.currency === 'JPY';
      return isGone ? { kind: 'invalid', reason: 'no yen any more' } : decoded;
    }, release.corpus);
    assert.match(strict.join('\n'), /^no yen any more: .*"JPY"/);
    const wrong = lostEvents((record) => {
      const decoded = decodeEvent(record);
      return decoded.kind === 'event' ? { ...decoded, event: { ...decoded.event, version: null } } : decoded;
    }, release.corpus);
    assert.match(wrong[0] ?? '', /^read differently: /);
  });

  test('nothing if a field is added, or a bound is widened on reading or narrowed on writing', () => {
    const written = changed(today.written, 'ORDER_CREATED', (s) => {
      s.properties.region = { type: 'string' };
      s.required.push('region');
      s.properties.order.properties.items.maxItems = 10;
      s.properties.order.properties.status.enum = ['new'];
    });
    assert.deepEqual(brokenConsumers(written, release), []);
    const accepted = changed(today.accepted, 'ORDER_CREATED', (s) => {
      s.properties.region = { type: 'string' };
      s.properties.order.properties.items.maxItems = 5_000;
      delete s.properties.timestamp.pattern;
      s.required = s.required.filter((field: string) => field !== 'event_id');
    });
    assert.deepEqual(brokenProducers(accepted, release), brokenProducers(today.accepted, release));
  });
});
