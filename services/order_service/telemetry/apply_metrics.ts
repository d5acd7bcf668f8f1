import type { Registry } from 'prom-client';
import { type Remark, REMARKS } from '#kafka_common/amounts.ts';
import { createMetrics, SECONDS, type Series } from '#service_common/telemetry/metrics.ts';
import type { ApplyObserver } from '#order_service/consuming/apply_observers.ts';

/** Seconds, up to hours: an event can be older if nobody consumed when it was written. */
const LATENCY_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600,
] as const;

const TRANSACTION_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500];

export interface ApplyMetricsOptions {
  readonly registry: Registry;
  readonly topic: string;
  readonly group: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The metrics of the transactions, which the returned observer counts. */
export const createApplyMetrics = ({ registry, topic, group, now }: ApplyMetricsOptions): ApplyObserver => {
  const metrics = createMetrics(registry);
  const messaging = {
    messaging_system: 'kafka',
    messaging_destination_name: topic,
    messaging_consumer_group_name: group,
  } as const;
  const processing = { ...messaging, messaging_operation_name: 'process' } as const;
  const durations = metrics
    .histogram(
      'messaging_process_duration_seconds',
      'Time to decode and apply the messages of one transaction, until they are on the disk',
      SECONDS,
      Object.keys(processing),
    )
    .series(processing);
  const sizes = metrics
    .histogram('order_events_transaction_messages', 'Messages in one transaction of the view', TRANSACTION_SIZES)
    .series({});
  let consumed = 0;
  metrics.counter(
    'messaging_client_consumed_messages_total',
    'Messages that were read from the topic and applied or set aside as dead letters',
    () => [[messaging, consumed]],
    Object.keys(messaging),
  );
  const remarked: Record<Remark, number> = { more_decimals_than_currency: 0, total_differs_from_items: 0 };
  metrics.counter(
    'order_events_remarked_orders_total',
    'Orders of other producers that were taken although their amounts are unusual, by remark: more_decimals_than_currency or total_differs_from_items',
    () => REMARKS.map((remark): Series => [{ remark }, remarked[remark]]),
    ['remark'],
  );
  const latencies = metrics
    .histogram(
      'order_events_readable_latency_seconds',
      "Time from an event's timestamp, which its producer set, to the commit that made it readable here. If the clock of this machine is ahead of the producer's, the difference is added; if it is behind, it is subtracted (less than 0 counts as 0). A rebuild of the view counts with the age of its events",
      LATENCY_SECONDS,
    )
    .series({});

  return ({ events, history, deadLetters, startedAt, endedAt }) => {
    const messages = history.length + deadLetters.length;
    durations.observe((endedAt - startedAt) / 1_000);
    sizes.observe(messages);
    consumed += messages;
    events.forEach(({ event }, n) => {
      if (event.type !== 'ORDER_CREATED' || history[n]?.outcome !== 'applied') return;
      event.order.remarks?.forEach((remark) => (remarked[remark] += 1));
    });
    const readableAt = now();
    for (const { outcome, timestamp } of history) {
      if (outcome === 'applied') latencies.observe(Math.max(0, readableAt - timestamp) / 1_000);
    }
  };
};
