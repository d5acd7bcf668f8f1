import { isUtf8 } from 'node:buffer';
import type { HeaderList, LogRecord, TextMessage } from './broker.ts';
import { fromWire, type OrderEvent, toWire } from './events.ts';
import { InvalidEvent } from './invalid_event.ts';

/** The `source` of the CloudEvents that the Cart Service writes. */
const EVENT_SOURCE = '/order-events/cart-service';

/** Some programs write it before a text. It is not part of JSON (RFC 8259, section 8.1). */
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * An event as a message: JSON, with the headers of CloudEvents 1.0 (Kafka protocol binding, binary mode) and the W3C
 * `traceparent` of the request that caused it.
 */
export const encodeEvent = (event: OrderEvent, traceparent: string): TextMessage => ({
  key: event.orderId,
  value: JSON.stringify(toWire(event)),
  headers: {
    ce_specversion: '1.0',
    ce_id: event.eventId,
    ce_type: event.type,
    ce_source: event.source ?? EVENT_SOURCE,
    ce_subject: event.orderId,
    ce_time: event.timestamp,
    'content-type': 'application/json',
    traceparent,
  },
});

export type Decoded =
  | {
      readonly kind: 'event';
      readonly event: OrderEvent;
      /** Whether the key of the message is the order id of the event. */
      readonly keyMatches: boolean;
    }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Reads the record of any producer. It never throws; it returns the reason why a record is invalid. */
export const decodeEvent = (
  record: Pick<LogRecord, 'key' | 'value' | 'unreadable'> & Partial<Pick<LogRecord, 'headers'>>,
): Decoded => {
  if (record.unreadable !== undefined) return { kind: 'invalid', reason: record.unreadable };
  if (record.value === null || record.value.length === 0)
    return { kind: 'invalid', reason: 'the value is empty (a tombstone)' };
  if (!isUtf8(record.value)) return { kind: 'invalid', reason: 'the value is not UTF-8' };
  const text = record.value.toString();
  try {
    const read = fromWire(JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text));
    const event = read.version === null ? withSource(read, record.headers ?? []) : read;
    return { kind: 'event', event, keyMatches: record.key?.toString() === event.orderId };
  } catch (error) {
    if (error instanceof InvalidEvent) return { kind: 'invalid', reason: error.message };
    if (error instanceof SyntaxError) return { kind: 'invalid', reason: 'the value is not JSON' };
    throw error;
  }
};

const withSource = (event: OrderEvent, headers: HeaderList): OrderEvent => {
  const source = headers.find(([name]) => name === 'ce_source')?.[1];
  // Any bytes are a source here. Each byte is one character, so two sources stay two.
  return source && source.length > 0 ? { ...event, source: source.toString('latin1') } : event;
};
