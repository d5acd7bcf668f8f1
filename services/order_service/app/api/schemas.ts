import type { Readable } from 'node:stream';
import Type, { type Static } from 'typebox';
import { LIMITS } from '#kafka_common/events.ts';
import { ORDER_ID_PATTERN, ORDER_STATUSES } from '#kafka_common/models.ts';
import { MAX_WAIT_S } from './prefer.ts';

export const OrderDetailsQuery = Type.Object({
  orderId: Type.String({
    pattern: ORDER_ID_PATTERN,
    description: 'Digits, with or without `ORD-`; leading zeros count',
    examples: ['ORD-123'],
  }),
});

export const OrderParams = Type.Object({ orderId: OrderDetailsQuery.properties.orderId });

export const OrderDetailsHeaders = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({
      maxLength: 1_000,
      description: 'The `ETag` of an earlier answer: 304 where the order is the same still',
    }),
  ),
  prefer: Type.Optional(
    Type.String({
      description: `\`wait=N\` (RFC 7240) waits up to N seconds, at most ${MAX_WAIT_S}, for an order that is not there yet`,
      examples: ['wait=5'],
    }),
  ),
});

const Amount = Type.Number({ minimum: 0, description: 'With the decimals of the currency' });

export const Status = Type.String({ enum: [...ORDER_STATUSES] });
export const OrderVersion = Type.Integer({ minimum: 0, description: '0 where the producer gives none' });
export const Instant = Type.String({ format: 'date-time' });

export const OrderDetails = Type.Object({
  order: Type.Object({
    orderId: Type.String(),
    customerId: Type.String(),
    orderDate: Type.String({ format: 'date-time' }),
    items: Type.Array(Type.Object({ itemId: Type.String(), quantity: Type.Integer(), price: Amount })),
    totalAmount: Amount,
    currency: Type.String({ description: 'ISO 4217', examples: ['USD'] }),
    status: Status,
  }),
  shippingCost: Type.Number({ description: '2 % of the total, rounded half up to the minor unit of the currency' }),
});
export type OrderDetails = Static<typeof OrderDetails>;

export const OrderResource = Type.Object({ ...OrderDetails.properties, version: OrderVersion });

/** Parameters are text; see `http.ts` for why nothing is coerced. */
export const limitOf = (initial: string) =>
  Type.Optional(
    Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$', default: initial, description: 'At most so many: 1 to 1000' }),
  );

const Cursor = Type.Optional(Type.String({ maxLength: 100, description: '`next` of the page before' }));
const Next = Type.Union([Type.String(), Type.Null()], { description: 'For `after`; null: there are no more' });

export const OrdersQuery = Type.Object({
  status: Type.Optional(
    Type.String({ maxLength: 20, description: `In any case one of: ${ORDER_STATUSES.join(', ')}` }),
  ),
  customerId: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.idLength })),
  from: Type.Optional(Type.String({ maxLength: 40, description: 'Order date, ISO 8601; inclusive' })),
  to: Type.Optional(Type.String({ maxLength: 40, description: 'Order date, ISO 8601; exclusive' })),
  after: Cursor,
  limit: limitOf('50'),
});

export const Orders = Type.Object({
  orders: Type.Array(
    Type.Object({
      orderId: Type.String(),
      customerId: Type.String(),
      orderDate: Instant,
      numberOfItems: Type.Integer(),
      totalAmount: Amount,
      currency: Type.String(),
      status: Status,
      version: OrderVersion,
    }),
    { description: 'The newest date first; a page can hold fewer than asked for though more follow' },
  ),
  next: Next,
});

export const HistoryQuery = Type.Object({ after: Cursor, limit: limitOf('100') });

const OrderEventSummary = Type.Object({
  sequence: Type.Integer({ description: 'Counts the events of all orders, in the order they were applied' }),
  type: Type.String({ enum: ['ORDER_CREATED', 'ORDER_STATUS_UPDATED'] }),
  version: Type.Union([Type.Integer(), Type.Null()]),
  status: Status,
  timestamp: Type.Union([Instant, Type.Null()]),
  partition: Type.Integer(),
  offset: Type.Integer(),
  outcome: Type.String({
    enum: ['applied', 'duplicate', 'late', 'waiting'],
    description: '`duplicate`: repeated; `late`: newer ones had been applied; `waiting`: came before its order',
  }),
});

export const OrderHistory = Type.Object({
  orderId: Type.String(),
  events: Type.Array(OrderEventSummary, { description: 'Newest first' }),
  next: Next,
});

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
