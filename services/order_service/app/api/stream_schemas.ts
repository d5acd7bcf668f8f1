import Type from 'typebox';
import { EVENT_EXAMPLE, Instant, orNull, Place } from './schemas.ts';

const Count = Type.Integer({ minimum: 0 });
const Reason = orNull(Type.String());
const Milliseconds = orNull(Type.Number());

const PartitionFlow = Type.Object(
  {
    partition: Place,
    end: orNull(Place, { description: 'One past the last offset; null: not known now' }),
    position: orNull(Place, { description: 'Where the view goes on; null: not assigned' }),
    lag: orNull(Place),
  },
  { title: 'PartitionFlow' },
);

const FlowSample = Type.Object(
  { at: Instant, applied: Count, duplicates: Count, p50Ms: Milliseconds, p99Ms: Milliseconds },
  { title: 'FlowSample', description: 'Latencies are from an event until it can be read; null: none was applied' },
);

export const FlowState = Type.Object(
  {
    topic: Type.String(),
    group: Type.String(),
    state: Type.String({ enum: ['starting', 'waiting_for_topic', 'consuming', 'reconnecting'] }),
    reason: Reason,
    storeFailure: Reason,
    brokerReason: Reason,
    partitions: Type.Array(PartitionFlow),
    counts: Type.Object({ orders: Count, pending: Count, deadLetters: Count }),
    samples: Type.Array(FlowSample, { description: 'One a second, the oldest first' }),
  },
  {
    title: 'Flow',
    description: 'How the view follows the topic',
    examples: [
      {
        topic: 'orders.events',
        group: 'order-service',
        state: 'consuming',
        reason: null,
        storeFailure: null,
        brokerReason: null,
        partitions: [{ partition: 0, end: 42, position: 42, lag: 0 }],
        counts: { orders: 40, pending: 0, deadLetters: 0 },
        samples: [{ at: '2026-01-18T12:00:00.000Z', applied: 2, duplicates: 0, p50Ms: 3, p99Ms: 5 }],
      },
    ],
  },
);

const sequence = (description: string) =>
  Type.Optional(
    Type.String({ pattern: '^[0-9]{0,15}$', 'x-message': 'must be the `id` of an event of the stream', description }),
  );

export const StreamQuery = Type.Object({
  lastEventId: sequence('As the header `Last-Event-ID`, which wins'),
  flow: Type.Optional(Type.String({ enum: ['true', 'false'], description: 'Also the flow, once a second' })),
});

export const StreamHeaders = Type.Object({
  'last-event-id': sequence('`id` of the last event that was received: goes on after it'),
});

const StreamedEvent = Type.Object(
  {
    event: Type.String({
      enum: ['order', 'flow', 'reset'],
      description: '`reset`: what was missed cannot be sent; read anew, what is new follows',
    }),
    id: Type.Optional(Type.String({ pattern: '^[0-9]+$', description: 'Of `order` alone: for `Last-Event-ID`' })),
    data: Type.String({
      contentMediaType: 'application/json',
      description: 'Of `order` a HistoryEvent with its `orderId`, of `flow` a Flow, of `reset` a `reason`',
    }),
  },
  { title: 'StreamedEvent' },
);

const EXAMPLE_EVENT = { orderId: 'ORD-123', ...EVENT_EXAMPLE };

/** The answer has no end; the schema is of each event in it. */
export const EventStream = {
  description: 'Events without end, each as the schema has it, with a comment every 15 seconds',
  content: {
    'text/event-stream': {
      schema: Type.Unsafe<never>(StreamedEvent),
      example: { event: 'order', id: '7', data: JSON.stringify(EXAMPLE_EVENT) },
    },
  },
} as const;
