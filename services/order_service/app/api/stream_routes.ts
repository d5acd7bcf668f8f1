import { Problem, validationProblem } from '#service_common/errors.ts';
import { type HttpApp, ProblemRef } from '#service_common/http.ts';
import type { EventFeed } from '../../event_feed.ts';
import type { Flow } from '../../flow.ts';
import { FlowState, StreamHeaders, StreamQuery } from './operator_schemas.ts';

/** What happens, as it happens. */
export const addStreamRoutes = (app: HttpApp, { feed, flow }: { feed: EventFeed; flow: Flow }): void => {
  app.get(
    '/flow',
    {
      schema: {
        tags: ['operations'],
        summary: 'The way of the events into the view, now and in the last five minutes',
        response: { 200: FlowState, '5xx': ProblemRef },
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
      schema: {
        tags: ['orders'],
        summary: 'The events of all orders as they are applied, by Server-Sent Events',
        description:
          'Each `event: order` has the `sequence` as its `id` and the event as its data. `Last-Event-ID` goes on after ' +
          'an event that was received; who missed more than 10,000 of them, or listened to a view that was built anew ' +
          'since, gets `event: reset` and what is new. A subscriber that does not read is dropped.',
        querystring: StreamQuery,
        headers: StreamHeaders,
        response: { '4xx': ProblemRef, '5xx': ProblemRef },
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

const lastEventId = (text: string | undefined): number | null => {
  if (text === undefined || text === '') return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw validationProblem([{ field: 'last-event-id', message: 'must be the `id` of an event of this stream' }]);
};
