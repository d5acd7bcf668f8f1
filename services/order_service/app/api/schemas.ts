import type { Readable } from 'node:stream';
import Type, { type Static, type TSchema } from 'typebox';
import { LIMITS } from '#kafka_common/field_kinds.ts';
import { ORDER_ID_MESSAGE, ORDER_ID_PATTERN, ORDER_STATUSES } from '#kafka_common/models.ts';
import { InstantText, IntegerText } from '#service_common/http/query_texts.ts';
import { PLACE_PATTERN, SEQUENCE_PATTERN } from './cursors.ts';
import { MAX_WAIT_S } from './prefer.ts';

/** A `title` is the name of the schema in the OpenAPI document. */

export const orNull = <T extends TSchema & { type: string }>(schema: T, options: object = {}) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'], ...options });

/** The answer with its headers, as the OpenAPI document has them. */
const withHeaders = <T extends TSchema>(schema: T, headers: object): T => ({ ...schema, headers });

export const OrderId = Type.String({ pattern: '^ORD-[0-9]{1,64}$' });
export const Status = Type.String({ enum: [...ORDER_STATUSES] });
export const OrderVersion = Type.Integer({ minimum: 0, description: '0 where the producer gives none' });
export const Instant = Type.String({ format: 'date-time' });
export const Place = Type.Integer({ minimum: 0 });
const Amount = Type.Number({ minimum: 0, description: 'With the decimals of the currency' });
const Currency = Type.String({ description: 'ISO 4217' });

export const OrderDetailsQuery = Type.Object({
  orderId: Type.String({
    pattern: ORDER_ID_PATTERN,
    'x-message': ORDER_ID_MESSAGE,
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
      examples: ['"1-new"'],
    }),
  ),
  prefer: Type.Optional(
    Type.String({
      description: `\`wait=N\` (RFC 7240) waits up to N seconds, at most ${MAX_WAIT_S}, for an order that is not there yet`,
      examples: ['wait=5'],
    }),
  ),
});

const ORDER_HEADERS = {
  ETag: { type: 'string', pattern: '^"[0-9]+-[a-z]+"$', description: 'For `If-None-Match`' },
  'Preference-Applied': { type: 'string', pattern: '^wait=[0-9]+$', description: 'Where `Prefer` asked to wait' },
};

export const Unchanged = withHeaders(
  Type.Unsafe<undefined>({ type: 'null', description: 'The order is as `If-None-Match` has it' }),
  ORDER_HEADERS,
);

const Item = Type.Object(
  { itemId: Type.String(), quantity: Type.Integer({ minimum: 1 }), price: Amount },
  { title: 'OrderItem' },
);

const Order = Type.Object(
  {
    orderId: OrderId,
    customerId: Type.String(),
    orderDate: Instant,
    items: Type.Array(Item, { minItems: 1 }),
    totalAmount: Amount,
    currency: Currency,
    status: Status,
  },
  { title: 'Order' },
);

const EXAMPLE_DETAILS = {
  order: {
    orderId: 'ORD-123',
    customerId: 'CUST-00042',
    orderDate: '2026-01-18T12:00:00.000Z',
    items: [{ itemId: 'ITEM-001', quantity: 2, price: 75.25 }],
    totalAmount: 150.5,
    currency: 'EUR',
    status: 'confirmed',
  },
  shippingCost: 3.01,
};

const details = {
  order: Order,
  shippingCost: Type.Number({
    minimum: 0,
    description: '2 % of the total, rounded half up to the minor unit of the currency',
  }),
};

export const OrderDetails = withHeaders(
  Type.Object(details, {
    title: 'OrderDetails',
    description: 'The order as it is now',
    examples: [EXAMPLE_DETAILS],
  }),
  ORDER_HEADERS,
);
export type OrderDetails = Static<typeof OrderDetails>;

export const OrderResource = withHeaders(
  Type.Object(
    { ...details, version: OrderVersion },
    { title: 'OrderResource', description: 'The order as it is now', examples: [{ ...EXAMPLE_DETAILS, version: 2 }] },
  ),
  ORDER_HEADERS,
);

export const limitOf = (initial: number) =>
  Type.Optional(IntegerText({ minimum: 1, maximum: 1_000, default: initial }, 'At most so many'));

const cursor = (pattern: string) =>
  Type.Optional(
    Type.String({
      pattern,
      maxLength: 100,
      'x-message': 'must be the `next` of the page before',
      description: '`next` of the page before',
    }),
  );
const Next = orNull(Type.String(), { description: 'For `after`; null: there are no more' });

export const OrdersQuery = Type.Object({
  status: Type.Optional(Type.String({ enum: [...ORDER_STATUSES], description: 'Upper or lower case' })),
  customerId: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: LIMITS.idLength,
      description: 'Of this customer',
      examples: ['CUST-00042'],
    }),
  ),
  from: Type.Optional(InstantText('Of this order date or later; a date alone is its first moment in UTC')),
  to: Type.Optional(InstantText('Of an order date before this one')),
  after: cursor(PLACE_PATTERN),
  limit: limitOf(50),
});

const ListedOrder = Type.Object(
  {
    orderId: OrderId,
    customerId: Type.String(),
    orderDate: Instant,
    numberOfItems: Type.Integer({ minimum: 1 }),
    totalAmount: Amount,
    currency: Currency,
    status: Status,
    version: OrderVersion,
  },
  { title: 'ListedOrder' },
);

export const Orders = Type.Object(
  { orders: Type.Array(ListedOrder), next: Next },
  {
    title: 'Orders',
    description: 'The newest date first; a page can hold fewer than asked for though more follow',
    examples: [
      {
        orders: [
          {
            orderId: 'ORD-123',
            customerId: 'CUST-00042',
            orderDate: '2026-01-18T12:00:00.000Z',
            numberOfItems: 1,
            totalAmount: 150.5,
            currency: 'EUR',
            status: 'confirmed',
            version: 2,
          },
        ],
        next: '1768737600000_7',
      },
    ],
  },
);

export const HistoryQuery = Type.Object({ after: cursor(SEQUENCE_PATTERN), limit: limitOf(100) });

const HistoryEvent = Type.Object(
  {
    sequence: Type.Integer({
      minimum: 0,
      description: 'Counts the events of all orders, in the order they were applied',
    }),
    type: Type.String({ enum: ['ORDER_CREATED', 'ORDER_STATUS_UPDATED'] }),
    version: orNull(Type.Integer({ minimum: 0 }), { description: 'null where the producer gives none' }),
    status: Status,
    timestamp: orNull(Instant, { description: 'When it happened' }),
    partition: Place,
    offset: Place,
    outcome: Type.String({
      enum: ['applied', 'duplicate', 'late', 'waiting'],
      description: '`duplicate`: repeated; `late`: newer ones had been applied; `waiting`: came before its order',
    }),
  },
  { title: 'HistoryEvent' },
);

export const EVENT_EXAMPLE = {
  sequence: 7,
  type: 'ORDER_CREATED',
  version: 1,
  status: 'new',
  timestamp: '2026-01-18T12:00:00.000Z',
  partition: 0,
  offset: 41,
  outcome: 'applied',
};

export const OrderHistory = Type.Object(
  { orderId: OrderId, events: Type.Array(HistoryEvent), next: Next },
  {
    title: 'OrderHistory',
    description: 'Newest first',
    examples: [
      {
        orderId: 'ORD-123',
        events: [EVENT_EXAMPLE],
        next: null,
      },
    ],
  },
);

export const OrderIdsQuery = Type.Object({
  topicName: Type.String({ minLength: 1, description: 'Name of the topic', examples: ['orders.events'] }),
});

/** Described as the JSON that the stream carries. */
export const OrderIds = Type.Unsafe<Readable>(
  Type.Object(
    {
      topicName: Type.String(),
      orderIds: Type.Array(OrderId, { description: 'Each id once, in the order first received' }),
    },
    {
      title: 'OrderIds',
      description: 'The ids of the orders',
      examples: [{ topicName: 'orders.events', orderIds: ['ORD-123', 'ORD-124'] }],
    },
  ),
);
