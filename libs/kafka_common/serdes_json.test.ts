import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { LogRecord } from './broker.ts';
import type { OrderEvent } from './events.ts';
import { decodeEvent, type Decoded, encodeEvent } from './serdes_json.ts';
import { anyEvent } from '#tests/support/any_events.ts';
import { anyHeaders, anyValue } from '#tests/support/any_records.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const EVENT: OrderEvent = {
  type: 'ORDER_STATUS_UPDATED',
  eventId: 'event-2',
  timestamp: '2026-01-18T12:00:00.000Z',
  orderId: 'ORD-123',
  version: 2,
  status: 'confirmed',
};

const decode = (value: Buffer | string | null, key: Buffer | string | null = 'ORD-123'): Decoded =>
  decodeEvent({ key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value) });

const reasonOf = (decoded: Decoded): string =>
  decoded.kind === 'invalid' ? decoded.reason : assert.fail('it was decoded');

test('a message is JSON under the order id as key, with the headers of CloudEvents and W3C trace context', () => {
  assert.deepEqual(encodeEvent(EVENT, TRACEPARENT), {
    key: 'ORD-123',
    value:
      '{"event_id":"event-2","event_type":"ORDER_STATUS_UPDATED","timestamp":"2026-01-18T12:00:00.000Z","order_id":"ORD-123","version":2,"status":"confirmed"}',
    headers: {
      ce_specversion: '1.0',
      ce_id: 'event-2',
      ce_type: 'ORDER_STATUS_UPDATED',
      ce_source: '/order-events/cart-service',
      ce_subject: 'ORD-123',
      ce_time: '2026-01-18T12:00:00.000Z',
      'content-type': 'application/json',
      traceparent: TRACEPARENT,
    },
  });
});

test('any event is the same after encoding and decoding, and matches its key', () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      const { key, value } = encodeEvent(event, TRACEPARENT);
      assert.deepEqual(decode(value, key), { kind: 'event', event, keyMatches: true });
    }),
    { numRuns: 1_000 },
  );
});

test('an event whose key is not its order id is decoded, with keyMatches false', () => {
  const { value } = encodeEvent(EVENT, TRACEPARENT);
  for (const key of [null, '', 'ORD-124', '123', Buffer.from([0xff])]) {
    assert.deepEqual(decode(value, key), { kind: 'event', event: EVENT, keyMatches: false });
  }
});

const { value: VALID } = encodeEvent(EVENT, TRACEPARENT);

const INVALID: readonly (readonly [circumstance: string, value: Buffer | string | null, reason: string])[] = [
  ['null', null, 'the value is empty (a tombstone)'],
  ['empty', '', 'the value is empty (a tombstone)'],
  ['not UTF-8', Buffer.from([...Buffer.from(VALID), 0xc3, 0x28]), 'the value is not UTF-8'],
  ['UTF-16', Buffer.from(VALID, 'utf16le'), 'the value is not JSON'],
  ['text', 'ORDER_CREATED', 'the value is not JSON'],
  ['cut off', VALID.slice(0, -1), 'the value is not JSON'],
  ['two events at once', VALID + VALID, 'the value is not JSON'],
  ['another JSON value', '[]', 'the value is not a JSON object'],
  ['1 MB of text', 'x'.repeat(1_000_000), 'the value is not JSON'],
  ['1 MB of one JSON text', JSON.stringify('x'.repeat(1_000_000)), 'the value is not a JSON object'],
  ['1 MB of opening brackets', '['.repeat(1_000_000), 'the value is not JSON'],
];

describe('a value', () => {
  for (const [circumstance, value, reason] of INVALID) {
    test(`that is ${circumstance} is invalid, with the reason`, () => assert.equal(reasonOf(decode(value)), reason));
  }

  test('of 1 MB that is nested deeper than any stack is invalid, and the reason names the field', () => {
    const nested = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
    for (const field of ['event_type', 'status', 'order_id', 'version', 'timestamp']) {
      const reason = reasonOf(decode(VALID.replace(/}$/, `,"${field}":${nested}}`)));
      assert.ok(reason.includes(field) && reason.length < 1_000, reason);
    }
  });

  test('of 1 MB that is an event with an unknown extra field is decoded', () => {
    const extra = JSON.stringify({ ...JSON.parse(VALID), extra: 'x'.repeat(1_000_000) });
    assert.deepEqual(decode(extra), { kind: 'event', event: EVENT, keyMatches: true });
  });

  test('that starts with a byte order mark is decoded', () => {
    assert.equal(decode(`\u{FEFF}${VALID}`).kind, 'event');
  });
});

/** A decoded event is one that this program could have written: writing and reading it changes nothing. */
const assertSound = (decoded: Decoded): void => {
  if (decoded.kind === 'invalid') assert.ok(decoded.reason.length > 0);
  else {
    const { key, value } = encodeEvent(decoded.event, TRACEPARENT);
    assert.deepEqual(decode(value, key), { ...decoded, keyMatches: true });
  }
};

test('the source of an event is read from its headers if it has no version', () => {
  const { key, value } = encodeEvent({ ...EVENT, version: null }, TRACEPARENT);
  const sourceIn = (headers: LogRecord['headers'], of = value): string | undefined => {
    const decoded = decodeEvent({ key: Buffer.from(key), value: Buffer.from(of), headers });
    return decoded.kind === 'event' ? decoded.event.source : assert.fail(decoded.reason);
  };
  assert.equal(sourceIn([['ce_source', Buffer.from('/shop')]]), '/shop');
  assert.equal(sourceIn([['ce_source', Buffer.from([0xff])]]), '\u00ff');
  assert.equal(sourceIn([['ce_source', null]]), undefined);
  assert.equal(sourceIn([['ce_source', Buffer.alloc(0)]]), undefined);
  assert.equal(sourceIn([]), undefined);
  assert.equal(sourceIn([['ce_source', Buffer.from('/shop')]], VALID), undefined);
  assert.equal(encodeEvent({ ...EVENT, version: null, source: '/shop' }, '').headers['ce_source'], '/shop');
});

const anyRecord = fc.record({
  offset: fc.maxSafeNat(),
  timestamp: fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-1, NaN, Infinity, 2 ** 63)),
  key: fc.option(fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes))),
  headers: anyHeaders,
});

test('any record is decoded or invalid with a short reason, and what is decoded is written and read again', () => {
  fc.assert(
    fc.property(anyRecord, anyValue, (record, value) => {
      const decoded = decodeEvent({ ...record, value });
      if (decoded.kind === 'invalid') {
        assert.ok(decoded.reason.length > 0 && decoded.reason.length < 1_000, decoded.reason);
        return;
      }
      const { event } = decoded;
      const again = encodeEvent(event, TRACEPARENT);
      const source = event.source === undefined ? null : Buffer.from(event.source, 'latin1');
      const read = decodeEvent({
        key: Buffer.from(again.key),
        value: Buffer.from(again.value),
        headers: [['ce_source', source]],
      });
      assert.deepEqual(read, { kind: 'event', event, keyMatches: true });
      assert.ok(Number.isFinite(Date.parse(event.timestamp)));
    }),
    { numRuns: 5_000 },
  );
});

test('any bytes are decoded or invalid, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => assertSound(decode(Buffer.from(bytes)))),
    { numRuns: 1_000 },
  );
});

test('an event with any of its bytes changed is decoded or invalid, and never throws', () => {
  const change = fc.tuple(fc.nat({ max: 2_000 }), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(anyEvent, fc.array(change, { minLength: 1, maxLength: 3 }), (event, changes) => {
      const bytes = Buffer.from(encodeEvent(event, TRACEPARENT).value);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      assertSound(decode(bytes));
    }),
    { numRuns: 2_000 },
  );
});

/** The paths of all parts of a JSON value. */
const pathsOf = (json: unknown): readonly (readonly string[])[] =>
  typeof json === 'object' && json !== null
    ? Object.entries(json).flatMap(([key, value]) => [[key], ...pathsOf(value).map((path) => [key, ...path])])
    : [];

const replaced = (json: unknown, [key, ...rest]: readonly string[], by: unknown): unknown => {
  if (key === undefined) return by;
  const copy = structuredClone(json) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
};

test('an event with any part replaced by any JSON, or removed, is decoded or invalid, and never throws', () => {
  const mutated = anyEvent.chain((event) => {
    const json: unknown = JSON.parse(encodeEvent(event, TRACEPARENT).value);
    return fc
      .tuple(fc.constantFrom(...pathsOf(json)), fc.oneof(fc.jsonValue(), fc.constant(undefined)))
      .map(([path, by]) => JSON.stringify(replaced(json, path, by)));
  });
  fc.assert(
    fc.property(mutated, (value) => assertSound(decode(value))),
    { numRuns: 3_000 },
  );
});
