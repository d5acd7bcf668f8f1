import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BatchWriterOptions } from './batch_writer.ts';
import type { Publisher, PublisherStatus } from './publisher.ts';

/** The metrics of the write path. `status` is asked whenever they are read. */
export const createPublisherMetrics = (registry: Registry, status: () => PublisherStatus) => {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    const created: Gauge = new Gauge({ name, help, registers, collect: () => created.set(read()) });
  };
  gauge('cart_requests_waiting', 'Requests that wait for their answer', () => status().waiting);
  gauge('cart_outbox_events', 'Events stored but not known to be acknowledged', () => status().unsettled);
  gauge('cart_ready', '1 where events are taken on every partition', () => (status().state === 'open' ? 1 : 0));
  gauge(
    'cart_last_acknowledged_timestamp_seconds',
    'When Kafka acknowledged last',
    () => (status().lastAcknowledgedAt ?? 0) / 1_000,
  );

  const answers = new Counter({
    name: 'cart_answers_total',
    help: 'Answers to commands, by what became of them',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const batchEvents = new Histogram({
    name: 'cart_batch_events',
    help: 'Events sent in one batch',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
    registers,
  });
  const publishSeconds = new Histogram({
    name: 'cart_publish_seconds',
    help: 'Time from sending a batch to the fate of its last event',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const relayed = new Counter({
    name: 'cart_relayed_events_total',
    help: 'Events sent again from the outbox',
    registers,
  });

  const onPublish: BatchWriterOptions['onPublish'] = (publish) => {
    batchEvents.observe(publish.events);
    publishSeconds.observe(publish.seconds);
    if (publish.relayed) relayed.inc(publish.events);
  };

  const countAnswers =
    (submit: Publisher['submit']): Publisher['submit'] =>
    async (request) => {
      const answer = await submit(request);
      const outcome =
        answer.kind === 'failed' ? answer.outcome : answer.kind === 'refused' ? answer.refusal.code : 'done';
      answers.inc({ operation: request.command.kind, outcome });
      return answer;
    };

  return { onPublish, countAnswers };
};
