import { parseSampled } from '#service_common/telemetry/trace_context.ts';
import type { Tracing } from '#service_common/telemetry/tracing.ts';
import type { ApplyObserver } from '#order_service/consuming/apply_observers.ts';
import { traceparentOf } from './message_trace.ts';

/** Records a span for each event, from decoding to commit, as a child of the span that published the event. */
export const traceTransactions =
  (tracing: Tracing, topic: string, group: string): ApplyObserver =>
  ({ history, events, startedAt, endedAt }) => {
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
