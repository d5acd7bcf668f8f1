import { type HttpApp, ProblemRef } from '#service_common/http.ts';
import type { ConsumerDb } from '../../consumer_db.ts';
import { streamListing } from './listing.ts';
import { presentDeadLetter } from './presenters.ts';
import { DeadLetters, DeadLettersQuery, WaitingStatuses, WaitingStatusesQuery } from './schemas.ts';

export interface OperatorRouteParts {
  readonly db: Pick<ConsumerDb, 'deadLetters' | 'waiting'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What needs somebody's attention: messages that could not be applied, and statuses whose order does not come. */
export const addOperatorRoutes = (app: HttpApp, { db, now }: OperatorRouteParts): void => {
  /** One at a time: a message can have a megabyte, and an answer a thousand of them. */
  async function* deadLetters(after: number, limit: number): AsyncGenerator<Record<string, unknown>[]> {
    let last = after;
    for (let n = 0; n < limit; n += 1) {
      const [letter] = await db.deadLetters(last, 1);
      if (letter === undefined) return;
      yield [presentDeadLetter(letter)];
      last = letter.id;
    }
  }

  app.get(
    '/dead-letters',
    {
      schema: {
        tags: ['operations'],
        summary: 'Messages that could not be applied, in the order they were set aside',
        querystring: DeadLettersQuery,
        response: { 200: DeadLetters, '4xx': ProblemRef, '5xx': ProblemRef },
      },
    },
    (request, reply) => {
      const pages = deadLetters(Number(request.query.after), Number(request.query.limit));
      return reply.type('application/json; charset=utf-8').send(streamListing({}, 'deadLetters', pages));
    },
  );

  app.get(
    '/waiting-statuses',
    {
      schema: {
        tags: ['operations'],
        summary: 'Statuses that came before their order',
        querystring: WaitingStatusesQuery,
        response: { 200: WaitingStatuses, '4xx': ProblemRef, '5xx': ProblemRef },
      },
    },
    async (request) => {
      const waiting = await db.waiting(Number(request.query.limit));
      return {
        waitingStatuses: waiting.map(({ orderId, version, status, waitingSince }) => ({
          orderId,
          version,
          status,
          ageMs: Math.max(0, now() - (waitingSince ?? now())),
        })),
      };
    },
  );
};
