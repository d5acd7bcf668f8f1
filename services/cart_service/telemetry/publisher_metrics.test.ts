import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import type { Fate } from '#kafka_common/broker.ts';
import { type Answer, DONE, failed, type CommandRequest } from '#cart_service/requests.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import { OPEN } from '#tests/support/cart_app.ts';
import { addPublisherGauges } from './publisher_gauges.ts';
import { createPublisherMetrics } from './publisher_metrics.ts';

const NOW = 1_768_737_600_000;

const create = (): CommandRequest => {
  const draft = { orderId: 'ORD-1', numberOfItems: 1, items: null, customerId: null, currency: null };
  const command = { kind: 'create', orderId: 'ORD-1', draft, fingerprint: '' } as const;
  return { command, idempotencyKey: null, traceparent: '' };
};

const metricsOf = (status = OPEN, storeFailure: string | null = null) => {
  const registry = new Registry();
  const metrics = createPublisherMetrics(registry, 't');
  addPublisherGauges({
    registry,
    queueLimit: 9,
    status: () => status,
    storeFailure: () => storeFailure,
    now: () => NOW,
  });
  return { ...metrics, read: () => registry.metrics() };
};

const ROW = {} as OutboxRow;
const FATES: readonly Fate[] = [
  { kind: 'acknowledged', partition: 0, offset: 0 },
  { kind: 'acknowledged', partition: 0, offset: 1 },
  { kind: 'unknown', detail: '' },
];

test('a publish counts once as a batch, and each of its events by its fate', async () => {
  const { onPublish, read } = metricsOf();
  const publish = { rows: [ROW, ROW, ROW], fates: FATES, startedAt: 1_000, endedAt: 1_500 };
  onPublish({ ...publish, requests: [create(), create(), create()] });
  onPublish({ ...publish, requests: null });
  const text = await read();
  assert.match(text, /^messaging_client_sent_messages_total\{.*error_type=""\} 4$/m);
  assert.match(text, /^messaging_client_sent_messages_total\{.*error_type="not_written"\} 0$/m);
  assert.match(text, /^messaging_client_sent_messages_total\{.*error_type="unknown"\} 2$/m);
  assert.match(text, /^messaging_client_operation_duration_seconds_sum\{.*\} 1$/m);
  assert.match(text, /^order_events_publish_batch_events_bucket\{le="5"\} 2$/m);
  assert.match(text, /^order_events_relayed_total 3$/m);
});

test('an answer is counted by its operation, its outcome and its code', async () => {
  const { countAnswers, read } = metricsOf();
  const answers: Answer[] = [
    DONE,
    DONE,
    { kind: 'refused', refusal: { code: 'OrderAlreadyExists', detail: '' } },
    failed('KafkaTimeout', 'unknown', ''),
  ];
  const submit = countAnswers(() => Promise.resolve(answers.pop() ?? DONE));
  for (let n = answers.length; n > 0; n -= 1) await submit(create());
  const counted = (await read()).match(/^order_events_answers_total.*$/gm)?.toSorted();
  assert.deepEqual(counted, [
    'order_events_answers_total{operation="create",outcome="done",code=""} 2',
    'order_events_answers_total{operation="create",outcome="refused",code="OrderAlreadyExists"} 1',
    'order_events_answers_total{operation="create",outcome="unknown",code="KafkaTimeout"} 1',
  ]);
});

test('gauges show what waits with its limit and age, and one of the states as 1', async () => {
  const waiting = { waiting: 3, unsettled: 2, oldestUnsettledAt: NOW - 5_000, lastAcknowledgedAt: NOW };
  const text = await metricsOf({ ...OPEN, state: 'impaired', ...waiting }, 'disk full').read();
  for (const line of [
    'order_events_requests_waiting 3',
    'order_events_requests_waiting_limit 9',
    'order_events_outbox_events 2',
    'order_events_outbox_oldest_age_seconds 5',
    `order_events_last_acknowledged_timestamp_seconds ${NOW / 1_000}`,
    'order_events_publisher_state{state="open"} 0',
    'order_events_publisher_state{state="impaired"} 1',
    'order_events_store_failing 1',
  ]) {
    assert.ok(text.includes(`\n${line}\n`), line);
  }
});

test('without an acknowledgement there is no time of the last one, and an empty outbox has age 0', async () => {
  const text = await metricsOf().read();
  assert.doesNotMatch(text, /^order_events_last_acknowledged_timestamp_seconds/m);
  assert.match(text, /^order_events_outbox_oldest_age_seconds 0$/m);
});
