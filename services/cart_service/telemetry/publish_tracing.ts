import { parseSampled } from '#service_common/telemetry/trace_context.ts';
import type { Attributes, Tracing } from '#service_common/telemetry/tracing.ts';
import type { PublishObserver } from '#cart_service/publishing/batches/event_sender.ts';

/**
 * Traces publishing by the semantic conventions of OpenTelemetry for messaging. A batch has a span with links to the spans
 * of its events, and each of those is in the trace of its request. The parent of the batch's span is the span of the first
 * request, so that everything a lone request causes is in one trace.
 */
export const tracePublishes =
  (tracing: Tracing, topic: string): PublishObserver =>
  ({ rows, requests, fates, startedAt, endedAt }) => {
    const recorded = rows.flatMap(({ eventId, orderId, message }, index) => {
      const { traceparent = '' } = message.headers;
      if (parseSampled(traceparent) === null) return [];
      return [{ eventId, orderId, traceparent, span: requests?.[index]?.span, fate: fates[index] }];
    });
    const [first] = recorded;
    if (first === undefined) return;

    const common: Attributes = {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.operation.type': 'send',
    };
    const times = { startedAt, endedAt };
    const batch = tracing.record({
      ...times,
      name: `send ${topic}`,
      kind: 'client',
      parent: first.span ?? first.traceparent,
      links: recorded.map(({ traceparent }) => traceparent),
      attributes: {
        ...common,
        'messaging.operation.name': 'send',
        'messaging.batch.message_count': rows.length,
        'order_events.relayed': requests === null ? 'true' : undefined,
      },
      error: fates.find(({ kind }) => kind !== 'acknowledged')?.kind,
    });
    // An event that is sent again got its span when it was sent first.
    if (requests === null) return;
    for (const { eventId, orderId, traceparent, span, fate } of recorded) {
      tracing.record({
        ...times,
        name: `publish ${topic}`,
        kind: 'producer',
        self: traceparent,
        parent: span,
        links: [batch],
        attributes: {
          ...common,
          'messaging.operation.name': 'publish',
          'messaging.message.id': eventId,
          'messaging.kafka.message.key': orderId,
          ...(fate?.kind === 'acknowledged'
            ? { 'messaging.destination.partition.id': String(fate.partition), 'messaging.kafka.offset': fate.offset }
            : {}),
        },
        error: fate?.kind === 'acknowledged' ? undefined : fate?.kind,
      });
    }
  };
