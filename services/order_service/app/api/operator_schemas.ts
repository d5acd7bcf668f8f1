import type { Readable } from 'node:stream';
import Type from 'typebox';
import { Instant, limitOf, OrderVersion, Status } from './schemas.ts';

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
    Type.String({ pattern: '^[0-9]{1,15}$', default: '0', description: '`id` of the last one of the page before' }),
  ),
  limit: limitOf('100'),
});

const Bytes = Type.Union([Type.Object({ text: Type.String() }), Type.Object({ base64: Type.String() }), Type.Null()], {
  description: 'As text where it is UTF-8',
});

/** Described as the JSON that the stream carries. */
export const DeadLetters = Type.Unsafe<Readable>(
  Type.Object({
    deadLetters: Type.Array(
      Type.Object({
        id: Type.Integer(),
        topic: Type.String(),
        partition: Type.Integer(),
        offset: Type.Integer(),
        timestamp: Type.Union([Instant, Type.Null()]),
        key: Bytes,
        value: Bytes,
        headers: Type.Array(Type.Object({ name: Type.String(), value: Bytes })),
        reason: Type.String(),
        storedAt: Instant,
        redriven: Type.Union([
          Type.Object({
            at: Type.Union([Instant, Type.Null()]),
            partition: Type.Integer(),
            offset: Type.Integer(),
            outcome: Type.String({ enum: ['applied', 'duplicate', 'waiting', 'dead_letter'] }),
          }),
          Type.Null(),
        ]),
      }),
    ),
  }),
);

const LetterId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
/** More than an HTTP body may have otherwise: an edited message can have what a message can. */
export const REDRIVE_BODY_BYTES = 2_097_152;

export const RedriveBody = Type.Object(
  {
    letters: Type.Optional(
      Type.Array(
        Type.Object({
          id: LetterId,
          key: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, description: 'In place of its key' })),
          value: Type.Optional(
            Type.String({ minLength: 1, maxLength: 1_000_000, description: 'In place of its value' }),
          ),
        }),
        { minItems: 1, maxItems: 1_000, description: 'By id, as they are or changed; in the order of their ids' },
      ),
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
    additionalProperties: false,
    description: 'Either `letters` or `filter`',
    examples: [{ letters: [{ id: 1 }] }, { filter: {} }],
  },
);

export const Redriven = Type.Object({
  results: Type.Array(
    Type.Object({
      id: Type.Integer(),
      outcome: Type.String({ enum: ['published', 'not_published', 'unknown', 'skipped'] }),
      partition: Type.Union([Type.Integer(), Type.Null()]),
      offset: Type.Union([Type.Integer(), Type.Null()]),
      detail: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
  next: Type.Union([Type.Integer(), Type.Null()], { description: 'For `after`; null: there are no more' }),
});

export const PendingStatusesQuery = Type.Object({ limit: limitOf('100') });

export const PendingStatuses = Type.Object({
  pendingStatuses: Type.Array(
    Type.Object({
      orderId: Type.String(),
      version: OrderVersion,
      status: Status,
      ageMs: Type.Integer({ description: 'Since the first status of this order came' }),
    }),
    { description: 'Oldest first' },
  ),
});

const Count = Type.Integer({ minimum: 0 });
const Reason = Type.Union([Type.String(), Type.Null()]);
const Milliseconds = Type.Union([Type.Number(), Type.Null()]);

export const FlowState = Type.Object({
  topic: Type.String(),
  group: Type.String(),
  state: Type.String({ enum: ['starting', 'waiting_for_topic', 'consuming', 'reconnecting'] }),
  reason: Reason,
  storeFailure: Reason,
  brokerReason: Reason,
  partitions: Type.Array(
    Type.Object({
      partition: Type.Integer(),
      end: Type.Union([Type.Integer(), Type.Null()], { description: 'One past the last offset; null: not known now' }),
      position: Type.Union([Type.Integer(), Type.Null()], {
        description: 'Where the view goes on; null: not assigned',
      }),
      lag: Type.Union([Type.Integer(), Type.Null()]),
    }),
  ),
  counts: Type.Object({ orders: Count, pending: Count, deadLetters: Count }),
  samples: Type.Array(
    Type.Object({
      at: Instant,
      applied: Count,
      duplicates: Count,
      p50Ms: Milliseconds,
      p99Ms: Milliseconds,
    }),
    { description: 'One a second, the oldest first; latencies are from an event until it can be read' },
  ),
});

export const StreamQuery = Type.Object({
  lastEventId: Type.Optional(Type.String({ maxLength: 100, description: 'As the header `Last-Event-ID`, which wins' })),
  flow: Type.Optional(Type.String({ enum: ['true', 'false'], description: 'Also the flow, once a second' })),
});

export const StreamHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ maxLength: 100, description: '`id` of the last event that was received: goes on after it' }),
  ),
});
