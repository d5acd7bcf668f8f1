import { isUtf8 } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import Type, { type Static } from 'typebox';
import { Problem } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { BODY_PROBLEMS } from '#service_common/http/openapi.ts';
import { IntegerText } from '#service_common/http/query_texts.ts';
import type { ConsumerDb, DeadLetterState, StoredDeadLetter } from '#order_service/consumer_db.ts';
import type { RedriveOutcome, Redriver } from '#order_service/redrive/redrive.ts';
import { Instant, limitOf, oneOf, orNull, Place, toInstant } from './answer_fields.ts';
import { streamed, streamList } from './streamed_list.ts';

/** Messages that could not be applied: their listing, and their redrive. */

const DeadLettersQuery = Type.Object({
  state: Type.Optional(
    Type.String({
      enum: ['held', 'redriven', 'all'],
      default: 'held',
      description: '`held`: not redriven yet. `redriven`: published again, and back through the topic',
    }),
  ),
  after: Type.Optional(
    IntegerText(
      { minimum: 0, maximum: 999_999_999_999_999, default: 0 },
      '`id` of the last dead letter of the previous page',
    ),
  ),
  limit: limitOf(100),
});

const Bytes = Type.Union(
  [
    Type.Object({ text: Type.String() }, { additionalProperties: false }),
    Type.Object({ base64: Type.String({ contentEncoding: 'base64' }) }, { additionalProperties: false }),
    Type.Null(),
  ],
  { title: 'Bytes', description: 'As text if it is UTF-8, else as Base64' },
);

const Redrive = Type.Object(
  {
    at: orNull(Instant),
    partition: Place,
    offset: Place,
    outcome: oneOf(['applied', 'duplicate', 'waiting', 'conflict', 'dead_letter']),
  },
  { title: 'Redrive', description: 'Where the message came back through the topic, and its outcome there' },
);

export const DeadLetter = Type.Object(
  {
    id: Type.Integer({ minimum: 1 }),
    topic: Type.String(),
    partition: Place,
    offset: Place,
    timestamp: orNull(Instant, {
      description: 'Of the message; null if its producer wrote a timestamp that is not a date',
    }),
    key: Bytes,
    value: Bytes,
    headers: Type.Array(Type.Object({ name: Type.String(), value: Bytes }, { title: 'MessageHeader' })),
    reason: Type.String({ description: 'Why it could not be applied' }),
    complete: Type.Boolean({
      description:
        'false: it was too large, or could not be decompressed. Only the first bytes of key and value are kept, and no ' +
        'headers. It is redriven only with another key and value',
    }),
    storedAt: Instant,
    redriven: Type.Union([Redrive, Type.Null()], { description: 'null: not published again, or not back yet' }),
  },
  { title: 'DeadLetter', description: 'A message that could not be applied, as it came' },
);

export const EXAMPLE_DEAD_LETTER = {
  id: 1,
  topic: 'orders.events',
  partition: 0,
  offset: 41,
  timestamp: '2026-01-18T12:00:00.000Z',
  key: { text: 'ORD-123' },
  value: { text: 'not JSON' },
  headers: [{ name: 'content-type', value: { text: 'application/json' } }],
  reason: 'the value is not JSON',
  complete: true,
  storedAt: '2026-01-18T12:00:00.005Z',
  redriven: null,
};

export const DeadLetters = Type.Object(
  { deadLetters: Type.Array(DeadLetter) },
  {
    title: 'DeadLetters',
    description: 'Oldest first: in the order in which they were stored',
    examples: [{ deadLetters: [EXAMPLE_DEAD_LETTER] }],
  },
);

const LetterId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
/** More than other bodies may have: an edited message can be as large as any message. */
const REDRIVE_BODY_BYTES = 2_097_152;

const Letter = Type.Object(
  {
    id: LetterId,
    key: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, description: 'Instead of its key' })),
    value: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000_000, description: 'Instead of its value' })),
  },
  { title: 'LetterToRedrive' },
);

const RedriveBody = Type.Object(
  {
    letters: Type.Optional(
      Type.Array(Letter, {
        minItems: 1,
        maxItems: 1_000,
        description: 'By id, as they are or with another key or value. Published in the order of their ids',
      }),
    ),
    filter: Type.Optional(
      Type.Object(
        {
          reason: Type.Optional(Type.String({ maxLength: 1_000 })),
          key: Type.Optional(Type.String({ maxLength: 1_000 })),
        },
        {
          additionalProperties: false,
          description: 'All letters that were not redriven yet, or those of a reason or a key, as they are',
        },
      ),
    ),
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'With `filter`: `next` of the previous answer',
      }),
    ),
    until: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          'With `filter`: `until` of the first answer, and always with `after`. Letters that come back dead meanwhile ' +
          'are not taken again. Left out: up to the newest letter',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: 'With `filter`: 1,000 if left out' })),
  },
  {
    title: 'RedriveRequest',
    additionalProperties: false,
    description: 'Either `letters` or `filter`',
    oneOf: [{ required: ['letters'] }, { required: ['filter'] }],
    // Without `until`, each call would take the letters too that came back dead from the call before, without an end.
    anyOf: [{ required: ['until'] }, { not: { required: ['after'] } }],
    'x-examples': {
      Letters: {
        summary: 'Some letters, one of them changed',
        value: { letters: [{ id: 1 }, { id: 2, key: 'ORD-123' }] },
      },
      Filter: { summary: 'All that were not redriven yet', value: { filter: {} } },
    },
  },
);

const RedriveResult = Type.Object(
  {
    id: Type.Integer(),
    outcome: oneOf(['published', 'not_published', 'unknown', 'skipped'], {
      description: '`unknown`: it may be in the topic. `skipped`: nothing was tried, `detail` says why',
    }),
    partition: orNull(Place),
    offset: orNull(Place),
    detail: orNull(Type.String()),
  },
  { title: 'RedriveResult' },
);

export const RedriveResults = Type.Object(
  {
    results: Type.Array(RedriveResult),
    next: orNull(Type.Integer(), { description: 'For `after` of the next request; null if no letter is left' }),
    until: orNull(Type.Integer(), {
      description: 'With `filter`: the newest letter that it takes, for the next request',
    }),
    stopped: orNull(Type.String(), {
      description: 'Why nothing was published after the letters that failed last; null if all were tried',
    }),
  },
  {
    title: 'RedriveResults',
    description: 'The result of each letter',
    examples: [
      {
        results: [{ id: 1, outcome: 'published', partition: 0, offset: 57, detail: null }],
        next: null,
        until: null,
        stopped: null,
      },
    ],
  },
);

export interface DeadLetterParts {
  readonly db: Pick<ConsumerDb, 'deadLetters'>;
  readonly redriver: Redriver;
}

export const addDeadLetters = (app: HttpApp, { db, redriver }: DeadLetterParts): void => {
  app.get(
    '/dead-letters',
    {
      config: { problems: ['ValidationFailed'] },
      schema: {
        operationId: 'listDeadLetters',
        tags: ['operations'],
        summary: 'Messages that could not be applied, oldest first',
        querystring: DeadLettersQuery,
        response: { 200: streamed(DeadLetters) },
      },
    },
    ({ query }, reply) => {
      const pages = oneByOne(db, Number(query.after), Number(query.limit), query.state as DeadLetterState);
      void reply.type('application/json; charset=utf-8');
      return streamList({}, 'deadLetters', pages);
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
          'Each goes out with its key, so to the partition of the other events of its order, in the order of the ids. ' +
          'Once a letter has come back through the topic, its `redriven` shows the outcome. If the client disconnects, ' +
          'it ends after the part under way, of at most 100 letters.',
        body: RedriveBody,
        response: { 200: RedriveResults },
      },
    },
    async ({ body: { letters, filter, after = 0, until, limit = 1_000 } }, reply) => {
      const signal = untilDisconnected(reply);
      // The schema requires one of the two.
      if (letters === undefined)
        return resultsOf(await redriver.matching(filter ?? {}, { after, until, limit }, signal));
      return resultsOf(await redriver.letters(letters, signal));
    },
  );
};

/** Aborts if the connection closes before the answer is sent. */
const untilDisconnected = ({ raw }: { readonly raw: ServerResponse }): AbortSignal => {
  const disconnected = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) disconnected.abort();
  });
  return disconnected.signal;
};

const REDRIVE_RETRY_AFTER_S = 1;

/** @throws Problem if nothing was published */
const resultsOf = (outcome: RedriveOutcome): Static<typeof RedriveResults> => {
  switch (outcome.kind) {
    case 'busy':
      throw new Problem('RedriveUnderWay', 'another redrive is under way; try again when it is done');
    case 'unavailable':
      throw new Problem('KafkaBrokersUnavailable', `nothing was published: ${outcome.reason}`, {
        outcome: 'not_published',
        retryAfter: REDRIVE_RETRY_AFTER_S,
      });
    default:
      return { results: outcome.results, next: outcome.next, until: outcome.until, stopped: outcome.stopped };
  }
};

/** Pages of one letter: a message can have a megabyte, and an answer a thousand messages. */
async function* oneByOne(
  db: DeadLetterParts['db'],
  after: number,
  limit: number,
  state: DeadLetterState,
): AsyncGenerator<Static<typeof DeadLetter>[]> {
  let last = after;
  for (let n = 0; n < limit; n += 1) {
    const [letter] = await db.deadLetters(last, 1, state);
    if (letter === undefined) return;
    yield [presentDeadLetter(letter)];
    last = letter.id;
  }
}

const presentDeadLetter = ({ redrive, isWhole, ...letter }: StoredDeadLetter): Static<typeof DeadLetter> => ({
  ...letter,
  timestamp: toInstant(letter.timestamp),
  key: presentBytes(letter.key),
  value: presentBytes(letter.value),
  headers: letter.headers.map(([name, value]) => ({ name, value: presentBytes(value) })),
  complete: isWhole,
  storedAt: new Date(letter.storedAt).toISOString(),
  redriven: redrive === null ? null : { ...redrive, at: toInstant(redrive.at) },
});

const presentBytes = (bytes: Buffer | null): Static<typeof Bytes> => {
  if (bytes === null) return null;
  return isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') };
};
