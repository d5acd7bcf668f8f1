import type { Readable } from 'node:stream';
import Type from 'typebox';
import { IntegerText } from '#service_common/http/query_texts.ts';
import { Instant, limitOf, OrderId, OrderVersion, orNull, Place, Status } from './schemas.ts';

const DEAD_LETTER_STATES = ['held', 'redriven', 'all'];

export const DeadLettersQuery = Type.Object({
  state: Type.Optional(
    Type.String({
      enum: DEAD_LETTER_STATES,
      default: 'held',
      description: '`redriven`: published again, and seen again in the topic',
    }),
  ),
  after: Type.Optional(
    IntegerText({ minimum: 0, maximum: 999_999_999_999_999, default: 0 }, '`id` of the last one of the page before'),
  ),
  limit: limitOf(100),
});

const Bytes = Type.Union(
  [
    Type.Object({ text: Type.String() }, { additionalProperties: false }),
    Type.Object({ base64: Type.String({ contentEncoding: 'base64' }) }, { additionalProperties: false }),
    Type.Null(),
  ],
  { title: 'Bytes', description: 'As text where it is UTF-8' },
);

const Redrive = Type.Object(
  {
    at: orNull(Instant),
    partition: Place,
    offset: Place,
    outcome: Type.String({ enum: ['applied', 'duplicate', 'waiting', 'dead_letter'] }),
  },
  { title: 'Redrive', description: 'Where the message came back through the topic, and what became of it' },
);

export const DeadLetter = Type.Object(
  {
    id: Type.Integer({ minimum: 1 }),
    topic: Type.String(),
    partition: Place,
    offset: Place,
    timestamp: orNull(Instant, { description: 'Of the message; null where its producer wrote none that is a date' }),
    key: Bytes,
    value: Bytes,
    headers: Type.Array(Type.Object({ name: Type.String(), value: Bytes }, { title: 'MessageHeader' })),
    reason: Type.String({ description: 'Why it could not be applied' }),
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
  storedAt: '2026-01-18T12:00:00.005Z',
  redriven: null,
};

/** Described as the JSON that the stream carries. */
export const DeadLetters = Type.Unsafe<Readable>(
  Type.Object(
    { deadLetters: Type.Array(DeadLetter) },
    {
      title: 'DeadLetters',
      description: 'In the order they were set aside',
      examples: [{ deadLetters: [EXAMPLE_DEAD_LETTER] }],
    },
  ),
);

const LetterId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
/** More than an HTTP body may have otherwise: an edited message can have what a message can. */
export const REDRIVE_BODY_BYTES = 2_097_152;

const Letter = Type.Object(
  {
    id: LetterId,
    key: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, description: 'In place of its key' })),
    value: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000_000, description: 'In place of its value' })),
  },
  { title: 'LetterToRedrive' },
);

export const RedriveBody = Type.Object(
  {
    letters: Type.Optional(
      Type.Array(Letter, {
        minItems: 1,
        maxItems: 1_000,
        description: 'By id, as they are or changed; in the order of their ids',
      }),
    ),
    filter: Type.Optional(
      Type.Object(
        {
          reason: Type.Optional(Type.String({ maxLength: 1_000 })),
          key: Type.Optional(Type.String({ maxLength: 1_000 })),
        },
        { additionalProperties: false, description: 'All that are held, or those of a reason or a key, as they are' },
      ),
    ),
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'With `filter`: `next` of the answer before',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000, description: 'With `filter`: 1,000 where left out' }),
    ),
  },
  {
    title: 'RedriveRequest',
    additionalProperties: false,
    description: 'Either `letters` or `filter`',
    oneOf: [{ required: ['letters'] }, { required: ['filter'] }],
    'x-examples': {
      Letters: { summary: 'Some, one of them mended', value: { letters: [{ id: 1 }, { id: 2, key: 'ORD-123' }] } },
      Filter: { summary: 'All that are held', value: { filter: {} } },
    },
  },
);

const RedriveResult = Type.Object(
  {
    id: Type.Integer(),
    outcome: Type.String({
      enum: ['published', 'not_published', 'unknown', 'skipped'],
      description: '`unknown`: it may be in the topic; `skipped`: nothing was tried, `detail` says why',
    }),
    partition: orNull(Place),
    offset: orNull(Place),
    detail: orNull(Type.String()),
  },
  { title: 'RedriveResult' },
);

export const Redriven = Type.Object(
  {
    results: Type.Array(RedriveResult),
    next: orNull(Type.Integer(), { description: 'For `after`; null: there are no more' }),
  },
  {
    title: 'RedriveResults',
    description: 'What became of each letter',
    examples: [{ results: [{ id: 1, outcome: 'published', partition: 0, offset: 57, detail: null }], next: null }],
  },
);

export const PendingStatusesQuery = Type.Object({ limit: limitOf(100) });

const PendingStatus = Type.Object(
  {
    orderId: OrderId,
    version: OrderVersion,
    status: Status,
    ageMs: Type.Integer({ minimum: 0, description: 'Since the first status of this order came' }),
  },
  { title: 'PendingStatus' },
);

export const PendingStatuses = Type.Object(
  { pendingStatuses: Type.Array(PendingStatus) },
  {
    title: 'PendingStatuses',
    description: 'Oldest first',
    examples: [{ pendingStatuses: [{ orderId: 'ORD-123', version: 2, status: 'confirmed', ageMs: 1_500 }] }],
  },
);
