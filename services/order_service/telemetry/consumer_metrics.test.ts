import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { CONSUMING } from '#tests/support/order_app.ts';
import type { Order } from '#kafka_common/models.ts';
import type { AppliedTransaction } from '#order_service/consuming/apply_observers.ts';
import type { HistoryEvent, ViewQueries } from '#order_service/consumer_db.ts';
import { createApplyMetrics } from './apply_metrics.ts';
import { addRunnerMetrics, addViewMetrics } from './consumer_metrics.ts';
import { created, record } from '#tests/support/events.ts';

const NOW = 1_768_737_600_000;

const EMPTY: Pick<ViewQueries, 'counts' | 'pending'> = {
  counts: () => Promise.resolve({ orders: 0, pending: 0, deadLetters: 0, heldDeadLetters: 0 }),
  pending: () => Promise.resolve([]),
};

const now = (): number => NOW;

const metricsOf = ({ status = CONSUMING, db = EMPTY } = {}) => {
  const registry = new Registry();
  addRunnerMetrics({ registry, topic: 't', status: () => status, unreadPartitions: () => 2 });
  addViewMetrics({ registry, db, now });
  return { observe: createApplyMetrics({ registry, topic: 't', group: 'g', now }), read: () => registry.metrics() };
};

/** An event that happened so many milliseconds ago. */
const happened = (ms: number, outcome: HistoryEvent['outcome'] = 'applied'): HistoryEvent => ({
  orderId: 'ORD-1',
  type: 'ORDER_CREATED',
  version: 1,
  status: 'new',
  timestamp: NOW - ms,
  partition: 0,
  offset: 0,
  outcome,
});

const anApplied = (
  history: readonly HistoryEvent[],
  deadLetters: AppliedTransaction['deadLetters'] = [],
): AppliedTransaction => ({
  orderIds: [],
  history,
  events: [],
  deadLetters,
  keyMismatches: [],
  startedAt: 1_000,
  endedAt: 1_020,
});

test('a transaction counts once, and each of its events by the time until it could be read', async () => {
  const { observe, read } = metricsOf();
  const deadLetter = { ...record('no event'), topic: 't', partition: 0, reason: '', isWhole: true, storedAt: NOW };
  observe(anApplied([happened(4), happened(4), happened(2_000), happened(9_000, 'duplicate')], [deadLetter]));
  const text = await read();
  assert.match(text, /^order_events_readable_latency_seconds_bucket\{le="0.005"\} 2$/m);
  assert.match(text, /^order_events_readable_latency_seconds_bucket\{le="2.5"\} 3$/m);
  assert.match(text, /^order_events_readable_latency_seconds_sum 2.008$/m);
  assert.match(text, /^messaging_process_duration_seconds_sum\{.*\} 0.02$/m);
  assert.match(text, /^order_events_transaction_messages_sum 5$/m);
  assert.match(text, /^messaging_client_consumed_messages_total\{.*\} 5$/m);
});

const located = (remarks?: Order['remarks']) => ({
  event: created('ORD-1', 1, undefined, remarks === undefined ? {} : { remarks }),
  partition: 0,
  record: record('not read'),
});

test('orders with unusual amounts count by their remarks, and only if they were applied', async () => {
  const { observe, read } = metricsOf();
  assert.match(await read(), /^order_events_remarked_orders_total\{remark="total_differs_from_items"\} 0$/m);
  observe({
    ...anApplied([happened(1), happened(1), happened(1), happened(1, 'duplicate')]),
    events: [
      located(),
      located(['total_differs_from_items']),
      located(['more_decimals_than_currency', 'total_differs_from_items']),
      located(['total_differs_from_items']),
    ],
  });
  const text = await read();
  assert.match(text, /^order_events_remarked_orders_total\{remark="more_decimals_than_currency"\} 1$/m);
  assert.match(text, /^order_events_remarked_orders_total\{remark="total_differs_from_items"\} 2$/m);
});

test('an event from a producer with a clock that is ahead counts as readable at once', async () => {
  const { observe, read } = metricsOf();
  observe(anApplied([happened(-60_000)]));
  assert.match(await read(), /^order_events_readable_latency_seconds_sum 0$/m);
});

test('the status of the runner and the counts of the view are shown', async () => {
  const text = await metricsOf({
    status: { ...CONSUMING, state: 'reconnecting', lag: { 3: 17 }, outcomes: { ...CONSUMING.outcomes, applied: 5 } },
    db: {
      counts: () => Promise.resolve({ orders: 8, pending: 1, deadLetters: 3, heldDeadLetters: 2 }),
      pending: () => Promise.resolve([{ orderId: 'ORD-1', version: 2, status: 'shipped', pendingSince: NOW - 90_000 }]),
    },
  }).read();
  for (const line of [
    'order_events_consumer_state{state="consuming"} 0',
    'order_events_consumer_state{state="reconnecting"} 1',
    'order_events_consumer_lag_records{messaging_destination_name="t",messaging_destination_partition_id="3"} 17',
    'order_events_processed_total{outcome="applied"} 5',
    'order_events_unread_partitions 2',
    'order_events_orders 8',
    'order_events_pending_statuses 1',
    'order_events_pending_statuses_oldest_age_seconds 90',
    'order_events_dead_letters_held 2',
  ]) {
    assert.ok(text.includes(`\n${line}\n`), line);
  }
});

const broken = (): Promise<never> => Promise.reject(new Error('disk'));

test('a view that cannot be read leaves out only its own series', async () => {
  const text = await metricsOf({ db: { counts: broken, pending: broken } }).read();
  assert.doesNotMatch(text, /^order_events_orders /m);
  assert.match(text, /^order_events_dead_letters_total 0$/m);
});
