import Type from 'typebox';
import { LIMITS } from '#kafka_common/field_kinds.ts';
import { fromClientOf, propertiesOf } from '#kafka_common/fields.ts';
import { ORDER, ORDER_ID_MESSAGE, ORDER_ID_PATTERN, ORDER_STATUSES } from '#kafka_common/models.ts';

/**
 * The bodies in their snake_case form. `field_names.ts` brings the camelCase form to it. A `title` is the name of the
 * schema in the OpenAPI document.
 */

const OrderId = Type.Unsafe<string | number>({
  type: ['string', 'integer'],
  pattern: ORDER_ID_PATTERN,
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  'x-message': ORDER_ID_MESSAGE,
  description:
    'Digits, with or without `ORD-`: `123` and `ORD-123` are one order. An integer is read as its decimal digits',
  examples: ['123', 'ORD-123'],
});

export const CreateOrderBody = Type.Object(
  {
    order_id: OrderId,
    number_of_items: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMITS.items,
        description: 'Required without `items`. With `items` it may be left out; if given, it must be their number',
      }),
    ),
    ...propertiesOf(fromClientOf(ORDER), 'requested'),
  },
  {
    title: 'NewOrder',
    description: 'Field names may be camelCase too; unknown fields are ignored',
    if: { not: { required: ['items'] } },
    // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
    then: { required: ['number_of_items'] },
    'x-examples': {
      Generated: { summary: 'Items generated at random', value: { order_id: '123', number_of_items: 3 } },
      Given: {
        summary: 'Items of your own',
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
        'A key that the client chooses, 1 to 255 visible ASCII characters. For 24 hours the same request with the same key gets the first answer again; another request with this key gets 422',
    }),
  ),
  traceparent: Type.Optional(
    Type.String({
      description: 'W3C Trace Context. The event continues this trace; a value that is not valid is ignored',
      examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    }),
  ),
});

export const Published = (message: string) =>
  Type.Object(
    {
      message: Type.Literal(message),
      orderId: Type.String({ pattern: '^ORD-[0-9]{1,64}$', description: 'The id to read the order with' }),
    },
    { description: 'Kafka has acknowledged the event', examples: [{ message, orderId: 'ORD-123' }] },
  );
