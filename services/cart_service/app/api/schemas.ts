import Type from 'typebox';
import { LIMITS } from '#kafka_common/event_schemas.ts';
import { ORDER_ID_MESSAGE, ORDER_ID_PATTERN, ORDER_STATUSES } from '#kafka_common/models.ts';
import { CURRENCIES, MAX_AMOUNT } from '#kafka_common/money.ts';

/**
 * Bodies in their snake_case form; `field_names.ts` brings the camelCase one to it. A `title` is the name of the schema
 * in the OpenAPI document.
 */

const OrderId = Type.Unsafe<string | number>({
  type: ['string', 'integer'],
  pattern: ORDER_ID_PATTERN,
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  'x-message': ORDER_ID_MESSAGE,
  description: 'Digits, with or without `ORD-`: `123` and `ORD-123` are one order. An integer is taken as its digits',
  examples: ['123', 'ORD-123'],
});

const Id = (description: string) => Type.String({ minLength: 1, maxLength: LIMITS.idLength, description });

const Item = Type.Object(
  {
    item_id: Id('Of the article'),
    quantity: Type.Integer({ minimum: 1, maximum: LIMITS.quantity }),
    price: Type.Number({
      minimum: 0,
      maximum: MAX_AMOUNT,
      description: 'Of one piece, with no more decimals than the currency has',
    }),
  },
  { title: 'NewItem' },
);

export const CreateOrderBody = Type.Object(
  {
    order_id: OrderId,
    number_of_items: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMITS.items,
        description: 'May be left out where `items` are given, else it must agree with them',
      }),
    ),
    items: Type.Optional(
      Type.Array(Item, { minItems: 1, maxItems: LIMITS.items, description: 'Generated at random where left out' }),
    ),
    customer_id: Type.Optional(Id('Generated at random where left out')),
    currency: Type.Optional(
      Type.String({
        enum: CURRENCIES,
        description: 'ISO 4217. Where left out: USD if `items` are given, else generated at random',
      }),
    ),
  },
  {
    title: 'NewOrder',
    description: 'Field names may be camelCase too; unknown fields are ignored',
    if: { not: { required: ['items'] } },
    // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
    then: { required: ['number_of_items'] },
    'x-examples': {
      Generated: { summary: 'Items made up at random', value: { order_id: '123', number_of_items: 3 } },
      Given: {
        summary: 'Items of a shop',
        value: {
          order_id: '124',
          customer_id: 'CUST-00042',
          currency: 'EUR',
          items: [{ item_id: 'ITEM-001', quantity: 2, price: 75.25 }],
        },
      },
    },
  },
);

export const UpdateOrderBody = Type.Object(
  {
    order_id: OrderId,
    status: Type.String({ enum: [...ORDER_STATUSES], description: 'Upper or lower case' }),
  },
  {
    title: 'StatusChange',
    description: '`order_id` may be called `orderId`; unknown fields are ignored',
    examples: [{ order_id: 'ORD-123', status: 'confirmed' }],
  },
);

export const CommandHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,255}$',
      'x-message': 'must be 1 to 255 visible ASCII characters',
      description:
        'A key of your own choice, 1 to 255 visible ASCII characters: within 24 hours the same key and request get the first answer again, and another request under the same key is 422',
    }),
  ),
  traceparent: Type.Optional(
    Type.String({
      description: 'W3C Trace Context, which the event goes on with; one that cannot be understood is ignored',
      examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    }),
  ),
});

export const Published = (message: string) =>
  Type.Object(
    {
      message: Type.Literal(message),
      orderId: Type.String({ pattern: '^ORD-[0-9]{1,64}$', description: 'The id by which the order is read' }),
    },
    { description: 'Kafka has acknowledged the event', examples: [{ message, orderId: 'ORD-123' }] },
  );
