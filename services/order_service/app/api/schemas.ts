import type { Readable } from 'node:stream';
import Type, { type Static } from 'typebox';
import { ORDER_ID_PATTERN, ORDER_STATUSES } from '#kafka_common/models.ts';
import { MAX_WAIT_S } from './prefer.ts';

export const OrderDetailsQuery = Type.Object({
  orderId: Type.String({
    pattern: ORDER_ID_PATTERN,
    description: 'Digits, with or without `ORD-`; leading zeros count',
    examples: ['ORD-123'],
  }),
});

export const OrderDetailsHeaders = Type.Object({
  prefer: Type.Optional(
    Type.String({
      description: `\`wait=N\` (RFC 7240) waits up to N seconds, at most ${MAX_WAIT_S}, for an order that is not there yet`,
      examples: ['wait=5'],
    }),
  ),
});

const Amount = Type.Number({ minimum: 0, description: 'With the decimals of the currency' });

export const OrderDetails = Type.Object({
  order: Type.Object({
    orderId: Type.String(),
    customerId: Type.String(),
    orderDate: Type.String({ format: 'date-time' }),
    items: Type.Array(Type.Object({ itemId: Type.String(), quantity: Type.Integer(), price: Amount })),
    totalAmount: Amount,
    currency: Type.String({ description: 'ISO 4217', examples: ['USD'] }),
    status: Type.String({ enum: [...ORDER_STATUSES] }),
  }),
  shippingCost: Type.Number({ description: '2 % of the total, rounded half up to the minor unit of the currency' }),
});
export type OrderDetails = Static<typeof OrderDetails>;

export const OrderIdsQuery = Type.Object({
  topicName: Type.String({ minLength: 1, examples: ['orders.events'] }),
});

/** Described as the JSON that the stream carries. */
export const OrderIds = Type.Unsafe<Readable>(
  Type.Object({
    topicName: Type.String(),
    orderIds: Type.Array(Type.String(), { description: 'Each id once, in the order first received' }),
  }),
);

/** Parameters are text; see `http.ts` for why nothing is coerced. */
const Limit = Type.Optional(
  Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$', default: '100', description: 'At most so many: 1 to 1000' }),
);

export const DeadLettersQuery = Type.Object({
  after: Type.Optional(
    Type.String({ pattern: '^[0-9]{1,15}$', default: '0', description: '`id` of the last one of the page before' }),
  ),
  limit: Limit,
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
        timestamp: Type.String({ format: 'date-time' }),
        key: Bytes,
        value: Bytes,
        headers: Type.Array(Type.Object({ name: Type.String(), value: Bytes })),
        reason: Type.String(),
        storedAt: Type.String({ format: 'date-time' }),
      }),
    ),
  }),
);

export const WaitingStatusesQuery = Type.Object({ limit: Limit });

export const WaitingStatuses = Type.Object({
  waitingStatuses: Type.Array(
    Type.Object({
      orderId: Type.String(),
      version: Type.Integer({ description: '0 where the producer gives none' }),
      status: Type.String({ enum: [...ORDER_STATUSES] }),
      ageMs: Type.Integer({ description: 'Since the first status of this order came' }),
    }),
    { description: 'Oldest first' },
  ),
});
