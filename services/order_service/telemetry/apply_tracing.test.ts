import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndedSpan, Tracing } from '#service_common/telemetry/tracing.ts';
import { traceTransactions } from './apply_tracing.ts';
import { created, record } from '#tests/support/events.ts';

const PUBLISHED = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;

const event = (n: number, traceparent: Buffer | null) => ({
  event: created(`ORD-${n}`),
  record: record(created(`ORD-${n}`), { offset: n, headers: [['traceparent', traceparent]] }),
  partition: 4,
});

test('each sampled event of a transaction gets a span, as a child of the span that published it', () => {
  const spans: EndedSpan[] = [];
  const tracing = { record: (span: EndedSpan) => String(spans.push(span)) } as Tracing;
  traceTransactions(
    tracing,
    'orders.events',
    'order-service',
  )({
    orderIds: [],
    history: [],
    events: [
      event(1, Buffer.from(PUBLISHED)),
      event(2, Buffer.from(PUBLISHED.replace(/1$/, '0'))),
      event(3, Buffer.from([0xff])),
      event(4, null),
    ],
    deadLetters: [],
    keyMismatches: [],
    startedAt: 1,
    endedAt: 2,
  });
  assert.equal(spans.length, 1);
  assert.partialDeepStrictEqual(spans[0], {
    name: 'process orders.events',
    kind: 'consumer',
    parent: PUBLISHED,
    attributes: {
      'messaging.destination.partition.id': '4',
      'messaging.kafka.offset': 1,
      'messaging.kafka.message.key': 'ORD-1',
      'messaging.consumer.group.name': 'order-service',
    },
  });
});
