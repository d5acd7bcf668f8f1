import { parseSampled } from '#service_common/telemetry/trace_context.ts';
import type { Tracing } from '#service_common/telemetry/tracing.ts';
import type { Applied } from '#order_service/consuming/batch_applier.ts';
import { traceparentOf } from './message_trace.ts';

/** Traces the application of each event as a child of the span that published it, from decoding it to the commit. */
export const traceTransactions =
  (tracing: Tracing, topic: string, group: string) =>
  ({ history, events, startedAt, endedAt }: Applied): void => {
    events.forEach(({ event, record, partition }, index) => {
      const parent = traceparentOf(record);
      if (parseSampled(parent) === null) return;
      tracing.record({
        name: `process ${topic}`,
        kind: 'consumer',
        parent,
        links: [],
        startedAt,
        endedAt,
        attributes: {
          'messaging.system': 'kafka',
          'messaging.destination.name': topic,
          'messaging.destination.partition.id': String(partition),
          'messaging.consumer.group.name': group,
          'messaging.operation.type': 'process',
          'messaging.operation.name': 'process',
          'messaging.message.id': event.eventId,
          'messaging.kafka.message.key': event.orderId,
          'messaging.kafka.offset': record.offset,
          'order_events.outcome': history[index]?.outcome,
          'order_events.transaction.events': events.length,
        },
      });
    });
  };
