import Type from 'typebox';
import type { HttpApp } from '#service_common/http/http_app.ts';
import type { Flow } from '#order_service/live/flow.ts';
import { Instant, oneOf, orNull, Place } from './answer_fields.ts';

/** How the view follows the topic. */

const Count = Type.Integer({ minimum: 0 });
const Reason = orNull(Type.String());
const Milliseconds = orNull(Type.Number());

const PartitionFlow = Type.Object(
  {
    partition: Place,
    end: orNull(Place, { description: 'One past the last offset; null: not known now' }),
    position: orNull(Place, { description: 'The next offset to read; null: the view has read nothing of it yet' }),
    lag: orNull(Place),
    heldUpSince: orNull(Instant, {
      description: 'Since when an open transaction of another producer holds it up; null: none does',
    }),
  },
  { title: 'PartitionFlow' },
);

const FlowSample = Type.Object(
  { at: Instant, applied: Count, duplicates: Count, p50Ms: Milliseconds, p99Ms: Milliseconds },
  {
    title: 'FlowSample',
    description: 'Latencies run from the event until it can be read; null: no event was applied',
  },
);

export const FlowState = Type.Object(
  {
    topic: Type.String(),
    group: Type.String(),
    state: oneOf(['starting', 'waiting_for_topic', 'consuming', 'reconnecting']),
    reason: Reason,
    storeFailure: Reason,
    brokerReason: Reason,
    warnings: Type.Array(Type.String(), {
      description: 'What a person should know, though the view follows the topic',
    }),
    partitions: Type.Array(PartitionFlow),
    counts: Type.Object({ orders: Count, pending: Count, deadLetters: Count }),
    samples: Type.Array(FlowSample, { description: 'One for each second, oldest first' }),
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
        warnings: [],
        partitions: [{ partition: 0, end: 42, position: 42, lag: 0, heldUpSince: null }],
        counts: { orders: 40, pending: 0, deadLetters: 0 },
        samples: [{ at: '2026-01-18T12:00:00.000Z', applied: 2, duplicates: 0, p50Ms: 3, p99Ms: 5 }],
      },
    ],
  },
);

export const addFlow = (app: HttpApp, { flow }: { readonly flow: Flow }): void => {
  app.get(
    '/flow',
    {
      schema: {
        operationId: 'getFlow',
        tags: ['operations'],
        summary: 'How the view follows the topic, now and in the last five minutes',
        response: { 200: FlowState },
      },
    },
    async () => {
      const { samples, partitions, warnings, ...state } = await flow.state('all');
      return { ...state, samples: [...samples], partitions: [...partitions], warnings: [...warnings] };
    },
  );
};
