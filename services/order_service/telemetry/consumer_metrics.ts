import type { Registry } from 'prom-client';
import { singleFlight } from '#service_common/single_flight.ts';
import { createMetrics, type Series } from '#service_common/telemetry/metrics.ts';
import type { RunnerState, RunnerStatus } from '#order_service/consuming/runner_status.ts';
import type { ViewQueries } from '#order_service/consumer_db.ts';

const STATES: readonly RunnerState[] = ['starting', 'waiting_for_topic', 'consuming', 'reconnecting'];

export interface RunnerMetricsOptions {
  readonly registry: Registry;
  readonly topic: string;
  /** Is called whenever the metrics are read. */
  readonly status: () => RunnerStatus;
  readonly unreadPartitions: () => number;
}

/** The metrics of the runner's status. */
export const addRunnerMetrics = ({ registry, topic, status, unreadPartitions }: RunnerMetricsOptions): void => {
  const metrics = createMetrics(registry);
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
    'Records of the partition that were still unread when its last batch was applied; the value stays while nothing is consumed',
    ['messaging_destination_name', 'messaging_destination_partition_id'],
    () =>
      Object.entries(status().lag).map(([partition, records]): Series => [
        { messaging_destination_name: topic, messaging_destination_partition_id: partition },
        records,
      ]),
  );
  metrics.gauge(
    'order_events_held_up_partitions',
    'Partitions whose next records an open transaction of another producer holds back',
    () => Object.keys(status().heldUp).length,
  );
  metrics.gauge(
    'order_events_unread_partitions',
    'Partitions that no member of the consumer group has owned for 15 s',
    unreadPartitions,
  );
  metrics.counter(
    'order_events_processed_total',
    'Events by outcome: applied, duplicate (applied before, or older than what was applied), conflict (would create an order that exists) or waiting (a pending status, its order has not arrived yet)',
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
  metrics.gauge('order_events_store_failing', '1 if the last transaction of the store failed', () =>
    status().storeFailure === null ? 0 : 1,
  );
};

export interface ViewMetricsOptions {
  readonly registry: Registry;
  readonly db: Pick<ViewQueries, 'counts' | 'pending'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The metrics of what the view holds. A view that cannot be read gives none of them. */
export const addViewMetrics = ({ registry, db, now }: ViewMetricsOptions): void => {
  const metrics = createMetrics(registry);
  // Three gauges share one query.
  const counts = singleFlight(() => db.counts());
  metrics.gauge('order_events_orders', 'Orders in the view', async () => (await counts()).orders);
  metrics.gauge(
    'order_events_pending_statuses',
    'Pending statuses in the view: their order has not arrived yet',
    async () => (await counts()).pending,
  );
  metrics.gauge(
    'order_events_pending_statuses_oldest_age_seconds',
    'Age of the oldest pending status; 0 if there is none',
    async () => {
      const [oldest] = await db.pending(1);
      return Math.max(0, now() - (oldest?.pendingSince ?? now())) / 1_000;
    },
  );
  metrics.gauge(
    'order_events_dead_letters_held',
    'Dead letters that have not come back through the topic since they were set aside',
    async () => (await counts()).heldDeadLetters,
  );
};
