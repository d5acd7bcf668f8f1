import fc from 'fast-check';
import type { HeaderList, LogRecord } from '#kafka_common/broker.ts';
import { headerName } from '#kafka_common/header_names.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { anyEvent } from './any_events.ts';

/** Arbitrary records of the log, for property tests: everything that any producer may have written. */

const WIRE_NAMES =
  'event_id event_type timestamp order_id version status order customer_id order_date items total_amount totalAmount currency orderId __proto__ constructor'.split(
    ' ',
  );

const anyBytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes));

/** Values of the wire: any bytes, and JSON that resembles events with any of its parts replaced. */
export const anyValue = fc.oneof(
  fc.constant(null),
  anyBytes(300),
  fc.json({ maxDepth: 5 }).map((json) => Buffer.from(json)),
  fc
    .tuple(
      anyEvent,
      fc.dictionary(fc.constantFrom(...WIRE_NAMES), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 3 }),
      fc.boolean(),
    )
    .map(([event, changes, isInside]) => {
      const wire = JSON.parse(encodeEvent(event, '').value) as Record<string, unknown>;
      const changed = isInside
        ? { ...wire, order: { ...(wire['order'] as object), ...changes } }
        : { ...wire, ...changes };
      return Buffer.from(JSON.stringify(changed));
    }),
);

const anyText = fc.string({ unit: 'binary', maxLength: 30 });

/** Names that the services know, any text, and bytes that are not UTF-8. */
const anyHeaderName = fc.oneof(
  fc.constantFrom('ce_source', 'ce_id', 'traceparent', 'redriven-from', 'redriven-proof', '', '__proto__'),
  anyText,
  anyBytes(12).map(headerName),
);

const anyHeaderValue = fc.oneof(
  fc.constant(null),
  anyBytes(30),
  anyText.map((text) => Buffer.from(text)),
  fc.tuple(fc.nat(6), fc.nat(50)).map(([partition, offset]) => Buffer.from(`orders.events/${partition}/${offset}`)),
);

export const anyHeaders: fc.Arbitrary<HeaderList> = fc.array(fc.tuple(anyHeaderName, anyHeaderValue), { maxLength: 5 });

/** In the bounds of `LogRecord`. */
const LAST_INSTANT = 8.64e15;

/** Any record, but its offset, which only the log gives. */
export const anyRecord: fc.Arbitrary<Omit<LogRecord, 'offset'>> = fc
  .record({
    timestamp: fc.oneof(fc.integer({ min: -LAST_INSTANT, max: LAST_INSTANT }), fc.constantFrom(-1, 0)),
    key: fc.oneof(
      fc.constant(null),
      anyBytes(30),
      fc.stringMatching(/^ORD-[0-9]{1,3}$/).map((id) => Buffer.from(id)),
    ),
    value: anyValue,
    headers: anyHeaders,
    unreadable: fc.option(fc.string({ unit: 'binary', minLength: 1 }), { freq: 10 }),
  })
  .map(({ unreadable, ...record }) => (unreadable === null ? record : { ...record, unreadable }));
