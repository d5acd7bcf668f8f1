import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fate } from '#kafka_common/broker.ts';
import type { EndedSpan, Tracing } from '#service_common/telemetry/tracing.ts';
import type { Publish } from '#cart_service/publishing/batches/event_sender.ts';
import type { CommandRequest } from '#cart_service/requests.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import { tracePublishes } from './publish_tracing.ts';

const TOPIC = 'orders.events';
const BATCH = `00-${'b'.repeat(32)}-${'b'.repeat(16)}-01`;

const spanOf = (n: number, kind: 'request' | 'event', flags = '01'): string =>
  `00-${String(n).padStart(32, '1')}-${(kind === 'request' ? 'a' : 'e').padEnd(16, String(n))}-${flags}`;

const row = (n: number, flags?: string): OutboxRow => {
  const headers = { traceparent: spanOf(n, 'event', flags) };
  const message = { key: `ORD-${n}`, value: '', headers };
  return { seq: n, eventId: `event-${n}`, orderId: `ORD-${n}`, message, fingerprint: null, idempotencyKey: null };
};

const request = (n: number): CommandRequest => ({ span: spanOf(n, 'request') }) as CommandRequest;

const acknowledged: Fate = { kind: 'acknowledged', partition: 3, offset: 17 };

/** @returns the spans of a publish */
const traced = (publish: Pick<Publish, 'rows' | 'requests' | 'fates'>): EndedSpan[] => {
  const spans: EndedSpan[] = [];
  const record: Tracing['record'] = (span) => {
    spans.push(span);
    return BATCH;
  };
  tracePublishes({ record } as Tracing, TOPIC)({ ...publish, startedAt: 1, endedAt: 2 });
  return spans;
};

test('a batch has a span with links to the spans of its events, each in the trace of its request', () => {
  const [batch, first, second, ...others] = traced({
    rows: [row(1), row(2)],
    requests: [request(1), request(2)],
    fates: [acknowledged, { kind: 'unknown', detail: '' }],
  });
  assert.partialDeepStrictEqual(batch, {
    name: 'send orders.events',
    parent: spanOf(1, 'request'),
    links: [spanOf(1, 'event'), spanOf(2, 'event')],
    error: 'unknown',
  });
  assert.equal(batch?.attributes['messaging.batch.message_count'], 2);
  assert.partialDeepStrictEqual(first, {
    name: 'publish orders.events',
    self: spanOf(1, 'event'),
    parent: spanOf(1, 'request'),
    links: [BATCH],
    attributes: {
      'messaging.message.id': 'event-1',
      'messaging.kafka.message.key': 'ORD-1',
      'messaging.kafka.offset': 17,
      'messaging.destination.partition.id': '3',
    },
  });
  assert.equal(first?.error, undefined);
  assert.partialDeepStrictEqual(second, { self: spanOf(2, 'event'), parent: spanOf(2, 'request'), error: 'unknown' });
  assert.deepEqual(others, []);
});

test('an unsampled event has no span, and neither has a batch of such events', () => {
  const requests = [request(1), request(2)];
  const fates = [acknowledged, acknowledged];
  const spans = traced({ rows: [row(1, '00'), row(2)], requests, fates });
  assert.deepEqual(
    spans.map(({ self, links }) => [self, links]),
    [
      [undefined, [spanOf(2, 'event')]],
      [spanOf(2, 'event'), [BATCH]],
    ],
  );
  assert.deepEqual(traced({ rows: [row(1, '00')], requests, fates }), []);
});

test('events that are sent again have only the span of the batch, below the span of the first event', () => {
  const [batch, ...others] = traced({ rows: [row(1), row(2)], requests: null, fates: [acknowledged, acknowledged] });
  assert.equal(batch?.parent, spanOf(1, 'event'));
  assert.equal(batch?.attributes['order_events.relayed'], 'true');
  assert.deepEqual(others, []);
});
