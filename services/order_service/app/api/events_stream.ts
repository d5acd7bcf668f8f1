import Type, { type Static } from 'typebox';
import { ORDER_ID } from '#kafka_common/models.ts';
import { Problem } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import type { StoredEvent } from '#order_service/consumer_db.ts';
import type { EventFeed } from '#order_service/live/event_feed.ts';
import { oneOf, toInstant } from './answer_fields.ts';
import { EXAMPLE_EVENT, type HistoryEvent } from './order_history.ts';

/** The events of all orders as they are applied, by Server-Sent Events. */

const lastEventId = (description: string) => Type.Optional(Type.String({ description }));

const StreamQuery = Type.Object({
  lastEventId: lastEventId('As the header `Last-Event-ID`, which counts if both are given'),
  flow: Type.Optional(Type.String({ enum: ['true', 'false'], description: 'Also send the flow, once a second' })),
});

const StreamHeaders = Type.Object({
  'last-event-id': lastEventId(
    '`id` of the last event that the client received: continue after it. `0` begins with the first event. Any other text gets `event: reset`',
  ),
});

/** The data of `event: order`. */
export interface StreamedOrderEvent extends HistoryEvent {
  readonly orderId: Static<typeof ORDER_ID.shown>;
}

const StreamedEvent = Type.Object(
  {
    event: oneOf(['order', 'flow', 'reset'], {
      description: '`reset`: the missed events cannot be sent; read the orders again, new events follow',
    }),
    id: Type.Optional(
      Type.String({ pattern: '^[0-9A-Za-z_-]+$', description: 'Of `order` and `reset`, for `Last-Event-ID`' }),
    ),
    data: Type.String({
      contentMediaType: 'application/json',
      description: 'Of `order` a HistoryEvent with its `orderId`, of `flow` a Flow, of `reset` a `reason`',
    }),
  },
  { title: 'StreamedEvent' },
);

/** The answer does not end; the schema describes each event in it. */
const EventStream = {
  description: 'Events without end, each as the schema says, with a comment every 15 seconds',
  content: {
    'text/event-stream': {
      schema: Type.Unsafe<never>(StreamedEvent),
      example: {
        event: 'order',
        id: '8f3c1d0a5b7e9264-7-0-41',
        data: JSON.stringify({ orderId: 'ORD-123', ...EXAMPLE_EVENT }),
      },
    },
  },
} as const;

export const addEventsStream = (app: HttpApp, { feed }: { readonly feed: EventFeed }): void => {
  app.get(
    '/events/stream',
    {
      config: { problems: ['ValidationFailed', 'TooManySubscribers'] },
      schema: {
        operationId: 'streamEvents',
        tags: ['orders'],
        summary: 'The events of all orders as they are applied, by Server-Sent Events',
        description:
          'Each `event: order` has an `id` and the event as its data. The `id` names the view and the event; clients ' +
          'need not understand it. With `Last-Event-ID` the stream continues after an event that the client received. ' +
          'If the client missed more than 10,000 events, or the `id` is not of this view (which was rebuilt, deleted ' +
          'or restored since), it gets `event: reset` and the new events. A subscriber that does not read is ' +
          'disconnected.',
        querystring: StreamQuery,
        headers: StreamHeaders,
        response: { 200: EventStream },
      },
    },
    (request, reply) => {
      const { query, headers } = request;
      const after = headers['last-event-id'] ?? query.lastEventId ?? '';
      const isTaken = feed.subscribe(reply.raw, after === '' ? null : after, query.flow === 'true');
      if (!isTaken) throw new Problem('TooManySubscribers', 'too many clients listen already', { retryAfter: 5 });
      reply.hijack();
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      reply.raw.flushHeaders();
    },
  );
};

export const presentEvent = ({ orderId, ...event }: StoredEvent): StreamedOrderEvent => ({
  orderId,
  ...event,
  timestamp: toInstant(event.timestamp),
});
