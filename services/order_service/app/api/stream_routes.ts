import { Problem } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import type { EventFeed } from '#order_service/live/event_feed.ts';
import type { Flow } from '#order_service/live/flow.ts';
import { EventStream, FlowState, StreamHeaders, StreamQuery } from './stream_schemas.ts';

/** What happens, as it happens. */
export const addStreamRoutes = (app: HttpApp, { feed, flow }: { feed: EventFeed; flow: Flow }): void => {
  app.get(
    '/flow',
    {
      schema: {
        operationId: 'getFlow',
        tags: ['operations'],
        summary: 'The way of the events into the view, now and in the last five minutes',
        response: { 200: FlowState },
      },
    },
    async () => {
      const { samples, ...state } = await flow.state('all');
      return { ...state, samples: [...samples], partitions: [...state.partitions] };
    },
  );

  app.get(
    '/events/stream',
    {
      config: { problems: ['ValidationFailed', 'TooManySubscribers'] },
      schema: {
        operationId: 'streamEvents',
        tags: ['orders'],
        summary: 'The events of all orders as they are applied, by Server-Sent Events',
        description:
          'Each `event: order` has the `sequence` as its `id` and the event as its data. `Last-Event-ID` goes on after ' +
          'an event that was received; who missed more than 10,000 of them, or listened to a view that was built anew ' +
          'since, gets `event: reset` and what is new. A subscriber that does not read is dropped.',
        querystring: StreamQuery,
        headers: StreamHeaders,
        response: { 200: EventStream },
      },
    },
    (request, reply) => {
      const { query, headers } = request;
      const after = lastEventId(headers['last-event-id'] ?? query.lastEventId);
      const isTaken = feed.subscribe(reply.raw, after, query.flow === 'true');
      if (!isTaken) throw new Problem('TooManySubscribers', 'too many listen already', { retryAfter: 5 });
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

const lastEventId = (text: string | undefined): number | null =>
  text === undefined || text === '' ? null : Number(text);
