import type { Registry } from 'prom-client';
import { createMetrics, SECONDS, type Series } from '#service_common/telemetry/metrics.ts';
import { singleFlight } from '#service_common/single_flight.ts';
import type { Applied } from '#order_service/consuming/batch_applier.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import type { RunnerState, RunnerStatus } from '#order_service/consumer_runner.ts';

const STATES: readonly RunnerState[] = ['starting', 'waiting_for_topic', 'consuming', 'reconnecting'];

/** Up to the hours after which an event is read again that was written while nobody consumed. */
const LATENCY_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600,
] as const;

const TRANSACTION_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500];

export interface ConsumerMetricsOptions {
  readonly registry: Registry;
  readonly db: Pick<ConsumerDb, 'counts' | 'waiting'>;
  readonly topic: string;
  readonly group: string;
  /** Asked whenever the metrics are read. */
  readonly status: () => RunnerStatus;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The metrics of the read path. */
export const createConsumerMetrics = ({ registry, db, topic, group, status, now }: ConsumerMetricsOptions) => {
  const metrics = createMetrics(registry);
  const messaging = {
    messaging_system: 'kafka',
    messaging_destination_name: topic,
    messaging_consumer_group_name: group,
  } as const;
  const labelNames = Object.keys(messaging);

  metrics.gauges(
    'order_events_consumer_state',
    '1 for the state of the consumer: starting, waiting_for_topic, consuming or reconnecting',
    ['state'],
    () => STATES.map((state) => [{ state }, status().state === state ? 1 : 0]),
  );
  metrics.gauge(
    'order_events_assigned_partitions',
    'Partitions that the group has assigned to this instance',
    () => status().assigned.length,
  );
  metrics.gauges(
    'order_events_consumer_lag_records',
    'Records that were still to read in the partition when the last batch of it was applied; it stays as it was while nothing is consumed',
    ['messaging_destination_name', 'messaging_destination_partition_id'],
    () =>
      Object.entries(status().lag).map(([partition, records]): Series => [
        { messaging_destination_name: topic, messaging_destination_partition_id: partition },
        records,
      ]),
  );
  metrics.counter(
    'order_events_processed_total',
    'Events by what became of them: applied, duplicate (seen before, or older than what is known) or waiting (a status that came before its order)',
    () => Object.entries(status().outcomes).map(([outcome, count]): Series => [{ outcome }, count]),
    ['outcome'],
  );
  metrics.counter(
    'order_events_dead_letters_total',
    'Messages that could not be applied and were set aside, since the start',
    () => [[{}, status().deadLetters]],
  );
  metrics.counter(
    'order_events_key_mismatches_total',
    'Events under another key than their order id: applied, but only their version keeps them in order',
    () => [[{}, status().keyMismatches]],
  );
  metrics.counter(
    'order_events_positions_lost_total',
    'Positions that the log no longer held: retention passed them, or the topic was made again',
    () => [[{}, status().positionsLost]],
  );
  metrics.gauge('order_events_store_failing', '1 where the last transaction of the store failed', () =>
    status().storeFailure === null ? 0 : 1,
  );

  // All gauges of the view are read together.
  const counts = singleFlight(() => db.counts());
  metrics.gauge('order_events_orders', 'Orders in the view', async () => (await counts()).orders);
  metrics.gauge(
    'order_events_pending_statuses',
    'Statuses in the view that wait for their order',
    async () => (await counts()).waiting,
  );
  metrics.gauge(
    'order_events_pending_statuses_oldest_age_seconds',
    'How long the oldest of them has waited; 0 where there is none',
    async () => {
      const [oldest] = await db.waiting(1);
      return Math.max(0, now() - (oldest?.waitingSince ?? now())) / 1_000;
    },
  );
  metrics.gauge(
    'order_events_dead_letters_held',
    'Dead letters that were not seen again since they were set aside',
    async () => (await counts()).heldDeadLetters,
  );

  const processing = { ...messaging, messaging_operation_name: 'process' } as const;
  const durations = metrics
    .histogram(
      'messaging_process_duration_seconds',
      'Time to decode and apply what one transaction takes of the topic, until it is on the disk',
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
    'Messages read of the topic and done with, dead letters among them',
    () => [[messaging, consumed]],
    labelNames,
  );
  const latencies = metrics
    .histogram(
      'order_events_readable_latency_seconds',
      "Time from an event's timestamp, which its producer set, to the commit that made it readable here. A clock of this machine that is ahead of the producer's adds the difference, one behind takes it away (less than 0 counts as 0). A rebuild of the view counts with the age of its events",
      LATENCY_SECONDS,
    )
    .series({});

  return {
    onApplied: ({ history, deadLetters, startedAt, endedAt }: Applied): void => {
      durations.observe((endedAt - startedAt) / 1_000);
      sizes.observe(history.length + deadLetters.length);
      consumed += history.length + deadLetters.length;
      const readableAt = now();
      for (const { outcome, timestamp } of history) {
        if (outcome === 'applied') latencies.observe(Math.max(0, readableAt - timestamp) / 1_000);
      }
    },
  };
};
