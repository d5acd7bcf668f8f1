import type { Registry } from 'prom-client';
import type { Fate } from '#kafka_common/broker.ts';
import { createCounts, createMetrics, SECONDS } from '#service_common/telemetry/metrics.ts';
import type { Publisher } from '#cart_service/publisher.ts';
import type { PublishObserver } from '#cart_service/publishing/batches/event_sender.ts';
import type { Answer } from '#cart_service/requests.ts';

const BATCH_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500];

/** Empty for a success: by OpenTelemetry, `error.type` is set only if there is an error. */
const ERROR_TYPES: Readonly<Record<Fate['kind'], string>> = {
  acknowledged: '',
  not_written: 'not_written',
  unknown: 'unknown',
};

const FATES = Object.keys(ERROR_TYPES) as Fate['kind'][];

export interface PublisherMetrics {
  readonly onPublish: PublishObserver;
  /** Takes the time of a transaction of the store. */
  readonly onTransaction: (seconds: number) => void;
  /** Wraps `submit`: counts its answers. */
  readonly countAnswers: (submit: Publisher['submit']) => Publisher['submit'];
}

/** The metrics of what the write path has done: publishes, answers, transactions. */
export const createPublisherMetrics = (registry: Registry, topic: string): PublisherMetrics => {
  const metrics = createMetrics(registry);
  const onPublish = countPublishes(registry, topic);

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
    onPublish,
    onTransaction: (seconds) => transactions.observe(seconds),
    countAnswers: (submit) => async (request) => {
      const answer = await submit(request);
      const operation = request.command.kind;
      const { outcome, code } = labelsOf(answer);
      answers.add(operation + outcome + code, () => ({ operation, outcome, code }));
      return answer;
    },
  };
};

/** Names and labels by the semantic conventions of OpenTelemetry for messaging, if they have the metric. */
const countPublishes = (registry: Registry, topic: string): PublishObserver => {
  const metrics = createMetrics(registry);
  const messaging = {
    messaging_system: 'kafka',
    messaging_destination_name: topic,
    messaging_operation_name: 'send',
  } as const;
  const labelNames = Object.keys(messaging);

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

  return (publish) => {
    sizes.observe(publish.rows.length);
    durations.observe((publish.endedAt - publish.startedAt) / 1_000);
    for (const { kind } of publish.fates) fates[kind] += 1;
    if (publish.requests === null) relayed += publish.rows.length;
  };
};

const labelsOf = (answer: Answer): { readonly outcome: string; readonly code: string } => {
  if (answer.kind === 'done') return { outcome: 'done', code: '' };
  if (answer.kind === 'refused') return { outcome: 'refused', code: answer.refusal.code };
  return { outcome: answer.outcome, code: answer.code };
};
