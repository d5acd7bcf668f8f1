import type { Registry } from 'prom-client';
import { createMetrics } from '#service_common/telemetry/metrics.ts';
import type { PublisherStatus } from '#cart_service/publisher.ts';

const STATES: readonly PublisherStatus['state'][] = ['starting', 'open', 'impaired', 'closing'];

export interface PublisherGaugesOptions {
  readonly registry: Registry;
  readonly queueLimit: number;
  /** Called whenever the metrics are read. */
  readonly status: () => PublisherStatus;
  /** Why the last transaction of the store failed; null if it did not. */
  readonly storeFailure: () => string | null;
  /** Ms since 1970. */
  readonly now: () => number;
}

/** The metrics of what the write path is doing now. */
export const addPublisherGauges = (options: PublisherGaugesOptions): void => {
  const { queueLimit, status, storeFailure, now } = options;
  const metrics = createMetrics(options.registry);

  metrics.gauges(
    'order_events_publisher_state',
    '1 for the state of the write path: starting (until the store is level with the log), open, impaired (a partition leader takes no events) or closing',
    ['state'],
    () => STATES.map((state) => [{ state }, status().state === state ? 1 : 0]),
  );
  metrics.gauge('order_events_store_failing', '1 if the last transaction of the store failed', () =>
    storeFailure() === null ? 0 : 1,
  );
  metrics.gauge('order_events_requests_waiting', 'Requests that wait for their answer', () => status().waiting);
  metrics.gauge(
    'order_events_requests_waiting_limit',
    'QUEUE_LIMIT: one more request than this is refused at once',
    () => queueLimit,
  );
  metrics.gauge(
    'order_events_outbox_events',
    'Events stored but not known to be acknowledged: in flight, or waiting to be sent again',
    () => status().unsettled,
  );
  metrics.gauge(
    'order_events_outbox_oldest_age_seconds',
    'Age of the oldest event of the outbox; 0 if it is empty',
    () => Math.max(0, now() - (status().oldestUnsettledAt ?? now())) / 1_000,
  );
  metrics.counter(
    'order_events_outbox_dropped_total',
    'Events dropped from the outbox because Kafka refuses them for good; their clients were answered unknown',
    () => [[{}, status().dropped]],
  );
  metrics.gauge(
    'order_events_last_acknowledged_timestamp_seconds',
    'When the broker acknowledged an event last, in seconds since 1970; no series before the first time',
    () => {
      const at = status().lastAcknowledgedAt;
      return at === null ? null : at / 1_000;
    },
  );
};
