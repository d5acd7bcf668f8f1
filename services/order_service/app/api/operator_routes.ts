import type { HttpApp } from '#service_common/http/http_app.ts';
import { BODY_PROBLEMS } from '#service_common/http/openapi.ts';
import { Problem } from '#service_common/errors.ts';
import type { ConsumerDb, DeadLetterState } from '#order_service/consumer_db.ts';
import type { RedriveOutcome, Redriver } from '#order_service/redrive/redrive.ts';
import { streamListing } from './listing.ts';
import { presentDeadLetter } from './presenters.ts';
import {
  DeadLetters,
  DeadLettersQuery,
  PendingStatuses,
  PendingStatusesQuery,
  REDRIVE_BODY_BYTES,
  RedriveBody,
  Redriven,
} from './operator_schemas.ts';

export interface OperatorRouteParts {
  readonly db: Pick<ConsumerDb, 'deadLetters' | 'pending'>;
  readonly redriver: Redriver;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What needs somebody's attention: messages that could not be applied, and statuses whose order does not come. */
export const addOperatorRoutes = (app: HttpApp, { db, redriver, now }: OperatorRouteParts): void => {
  /** One at a time: a message can have a megabyte, and an answer a thousand of them. */
  async function* deadLetters(
    after: number,
    limit: number,
    state: DeadLetterState,
  ): AsyncGenerator<Record<string, unknown>[]> {
    let last = after;
    for (let n = 0; n < limit; n += 1) {
      const [letter] = await db.deadLetters(last, 1, state);
      if (letter === undefined) return;
      yield [presentDeadLetter(letter)];
      last = letter.id;
    }
  }

  app.get(
    '/dead-letters',
    {
      config: { problems: ['ValidationFailed'] },
      schema: {
        operationId: 'listDeadLetters',
        tags: ['operations'],
        summary: 'Messages that could not be applied, in the order they were set aside',
        querystring: DeadLettersQuery,
        response: { 200: DeadLetters },
      },
    },
    ({ query }, reply) => {
      const pages = deadLetters(Number(query.after), Number(query.limit), query.state as DeadLetterState);
      void reply.type('application/json; charset=utf-8');
      return streamListing({}, 'deadLetters', pages);
    },
  );

  app.post(
    '/dead-letters/redrive',
    {
      bodyLimit: REDRIVE_BODY_BYTES,
      config: { problems: [...BODY_PROBLEMS, 'RedriveUnderWay', 'KafkaBrokersUnavailable'] },
      schema: {
        operationId: 'redriveDeadLetters',
        tags: ['operations'],
        summary: 'Publishes dead letters again, as they are or changed',
        description:
          'With their key, and so to the partition of the other events of their order, in the order of their ids. ' +
          'What became of one shows in `redriven` once it has come back through the topic.',
        body: RedriveBody,
        response: { 200: Redriven },
      },
    },
    async ({ body: { letters, filter, after = 0, limit = 1_000 } }) => {
      // The schema asks for one of the two.
      if (letters === undefined) return resultsOf(await redriver.matching(filter ?? {}, after, limit));
      return resultsOf(await redriver.letters(letters));
    },
  );

  app.get(
    '/pending-statuses',
    {
      config: { problems: ['ValidationFailed'] },
      schema: {
        operationId: 'listPendingStatuses',
        tags: ['operations'],
        summary: 'Statuses that came before their order',
        querystring: PendingStatusesQuery,
        response: { 200: PendingStatuses },
      },
    },
    async (request) => {
      const pending = await db.pending(Number(request.query.limit));
      return {
        pendingStatuses: pending.map(({ orderId, version, status, pendingSince }) => ({
          orderId,
          version,
          status,
          ageMs: Math.max(0, now() - (pendingSince ?? now())),
        })),
      };
    },
  );
};

const REDRIVE_RETRY_AFTER_S = 1;

/** @throws Problem if nothing was published */
const resultsOf = (outcome: RedriveOutcome) => {
  switch (outcome.kind) {
    case 'busy':
      throw new Problem('RedriveUnderWay', 'another redrive is under way; try again when it is done');
    case 'unavailable':
      throw new Problem('KafkaBrokersUnavailable', `nothing was published: ${outcome.reason}`, {
        outcome: 'not_published',
        retryAfter: REDRIVE_RETRY_AFTER_S,
      });
    default:
      return { results: outcome.results, next: outcome.next };
  }
};
