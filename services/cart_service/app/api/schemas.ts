import Type from 'typebox';
import { LIMITS } from '#kafka_common/events.ts';
import { ORDER_ID_PATTERN, ORDER_STATUSES } from '#kafka_common/models.ts';

/** Bodies in their snake_case form; `field_names.ts` brings the camelCase one to it. */

const OrderId = Type.String({
  pattern: ORDER_ID_PATTERN,
  description: 'Digits, with or without `ORD-`; a JSON integer is taken as its digits',
  examples: ['123', 'ORD-123'],
});

const Id = Type.String({ minLength: 1, maxLength: LIMITS.idLength });

export const CreateOrderBody = Type.Object(
  {
    order_id: OrderId,
    number_of_items: Type.Optional(
      Type.Integer({ minimum: 1, maximum: LIMITS.items, description: 'May be left out where `items` are given' }),
    ),
    items: Type.Optional(
      Type.Array(
        Type.Object({
          item_id: Id,
          quantity: Type.Integer({ minimum: 1, maximum: LIMITS.quantity }),
          price: Type.Number({ minimum: 0, description: 'Of one piece, with no more decimals than the currency has' }),
        }),
        { minItems: 1, maxItems: LIMITS.items, description: 'Generated at random where left out' },
      ),
    ),
    customer_id: Type.Optional(Id),
    currency: Type.Optional(
      Type.String({
        pattern: '^[A-Z]{3}$',
        description: 'ISO 4217; USD where only `items` are given',
        examples: ['USD'],
      }),
    ),
  },
  {
    if: { not: { required: ['items'] } },
    // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
    then: { required: ['number_of_items'] },
    examples: [{ order_id: '123', number_of_items: 3 }],
  },
);

export const UpdateOrderBody = Type.Object(
  {
    order_id: OrderId,
    status: Type.String({
      description: `In any case one of: ${ORDER_STATUSES.join(', ')}`,
      maxLength: LIMITS.idLength,
    }),
  },
  { examples: [{ order_id: 'ORD-123', status: 'confirmed' }] },
);

export const CommandHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,255}$',
      description:
        'The same key and request within 24 hours get the first answer again; 1 to 255 visible ASCII characters',
    }),
  ),
});

export const Published = Type.Object({ message: Type.String(), orderId: Type.String() });
