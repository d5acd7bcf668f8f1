import type { Registry } from 'prom-client';
import type { Fate } from '#kafka_common/broker.ts';
import { createCounts, createMetrics, SECONDS } from '#service_common/telemetry/metrics.ts';
import type { Publish } from '#cart_service/publishing/batch_writer.ts';
import type { Publisher, PublisherStatus } from '#cart_service/publisher.ts';
import type { Answer } from '#cart_service/requests.ts';

const STATES: readonly PublisherStatus['state'][] = ['starting', 'open', 'impaired', 'closing'];

const BATCH_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500];

/** As OpenTelemetry has it, there is no type of error where there is none. */
const ERROR_TYPES: Readonly<Record<Fate['kind'], string>> = {
  acknowledged: '',
  not_written: 'not_written',
  unknown: 'unknown',
};

export interface PublisherMetricsOptions {
  readonly registry: Registry;
  readonly topic: string;
  readonly queueLimit: number;
  /** Asked whenever the metrics are read. */
  readonly status: () => PublisherStatus;
  /** Why the store took no transaction the last time, or null. */
  readonly storeFailure: () => string | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The metrics of the write path. */
export const createPublisherMetrics = ({
  registry,
  topic,
  queueLimit,
  status,
  storeFailure,
  now,
}: PublisherMetricsOptions) => {
  const metrics = createMetrics(registry);
  const messaging = {
    messaging_system: 'kafka',
    messaging_destination_name: topic,
    messaging_operation_name: 'send',
  } as const;
  const labelNames = Object.keys(messaging);

  metrics.gauges(
    'order_events_publisher_state',
    '1 for the state of the write path: starting (until the store is level with the log), open, impaired (a partition leader takes no events) or closing',
    ['state'],
    () => STATES.map((state) => [{ state }, status().state === state ? 1 : 0]),
  );
  metrics.gauge('order_events_store_failing', '1 where the last transaction of the store failed', () =>
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
    'Age of the oldest event of the outbox; 0 where it is empty',
    () => Math.max(0, now() - (status().oldestUnsettledAt ?? now())) / 1_000,
  );
  metrics.gauge(
    'order_events_last_acknowledged_timestamp_seconds',
    'When the broker acknowledged an event last, in seconds since 1970; no series before the first time',
    () => {
      const at = status().lastAcknowledgedAt;
      return at === null ? null : at / 1_000;
    },
  );

  const sizes = metrics
    .histogram('order_events_publish_batch_events', 'Events sent in one batch', BATCH_SIZES)
    .series({});
  const durations = metrics
    .histogram(
      'messaging_client_operation_duration_seconds',
      'Time from sending a batch of events to the fate of its last one',
      SECONDS,
      labelNames,
    )
    .series(messaging);
  const fates: Record<Fate['kind'], number> = { acknowledged: 0, not_written: 0, unknown: 0 };
  metrics.counter(
    'messaging_client_sent_messages_total',
    'Events sent, by fate: error_type is empty (acknowledged), not_written (certainly not in the log) or unknown (may be in the log; sent again)',
    () => FATES.map((kind) => [{ ...messaging, error_type: ERROR_TYPES[kind] }, fates[kind]]),
    [...labelNames, 'error_type'],
  );
  let relayed = 0;
  metrics.counter('order_events_relayed_total', 'Events sent again from the outbox', () => [[{}, relayed]]);
  const answers = createCounts();
  metrics.counter(
    'order_events_answers_total',
    'Answers to create and update requests, by outcome (done, refused, not_created, not_updated, unknown) and by the code of the error',
    () => answers,
    ['operation', 'outcome', 'code'],
  );

  const transactions = metrics
    .histogram(
      'order_events_store_transaction_seconds',
      'Time of a transaction of the store, with its sync to the disk, failed ones too',
      SECONDS,
    )
    .series({});

  return {
    onTransaction: (seconds: number): void => transactions.observe(seconds),

    onPublish: (publish: Publish): void => {
      sizes.observe(publish.rows.length);
      durations.observe((publish.endedAt - publish.startedAt) / 1_000);
      for (const { kind } of publish.fates) fates[kind] += 1;
      if (publish.requests === null) relayed += publish.rows.length;
    },

    countAnswers:
      (submit: Publisher['submit']): Publisher['submit'] =>
      async (request) => {
        const answer = await submit(request);
        const operation = request.command.kind;
        const { outcome, code } = labelsOf(answer);
        answers.add(operation + outcome + code, () => ({ operation, outcome, code }));
        return answer;
      },
  };
};

const FATES = Object.keys(ERROR_TYPES) as Fate['kind'][];

const labelsOf = (answer: Answer): { readonly outcome: string; readonly code: string } => {
  if (answer.kind === 'done') return { outcome: 'done', code: '' };
  if (answer.kind === 'refused') return { outcome: 'refused', code: answer.refusal.code };
  return { outcome: answer.outcome, code: answer.code };
};
