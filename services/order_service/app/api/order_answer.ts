import Type, { type Static, type TSchema } from 'typebox';
import { exponentOf, REMARKS, shippingOf } from '#kafka_common/amounts.ts';
import { propertiesOf, writerOf } from '#kafka_common/fields.ts';
import { ORDER, ORDER_ID_MESSAGE, ORDER_ID_PATTERN, type Order } from '#kafka_common/models.ts';
import { ETAG, IfNoneMatch } from './etag.ts';
import { Prefer, PREFERENCE_APPLIED } from './prefer.ts';

/** An order as answers show it, and what the calls that read one order have in common. */

/** An order id as clients give it. */
export const OrderIdParam = Type.String({
  pattern: ORDER_ID_PATTERN,
  'x-message': ORDER_ID_MESSAGE,
  description: 'Digits, with or without `ORD-`; leading zeros count',
  examples: ['ORD-123'],
});

export const ReadHeaders = Type.Object({ 'if-none-match': IfNoneMatch, prefer: Prefer });

/** The answer with the headers that the OpenAPI document shows for it. */
export const withReplyHeaders = <T extends TSchema>(schema: T): T => ({
  ...schema,
  headers: { ETag: ETAG, 'Preference-Applied': PREFERENCE_APPLIED },
});

export const Unchanged = withReplyHeaders(
  Type.Unsafe<undefined>({ type: 'null', description: 'The order still has the `ETag` of `If-None-Match`' }),
);

/** The fields of the answer that shows an order. A `title` is the name of the schema in the OpenAPI document. */
export const details = {
  order: Type.Object(propertiesOf(ORDER, 'shown'), { title: 'Order' }),
  shippingCost: Type.Number({
    minimum: 0,
    description:
      '2 % of the total, rounded half up to the minor unit of the currency, or to the decimals of the total if it has more',
  }),
  remarks: Type.Optional(
    Type.Array(Type.String({ enum: [...REMARKS] }), {
      description:
        'Only if the amounts of another producer are unusual: `more_decimals_than_currency` (the amounts are shown as they were written), `total_differs_from_items` (both are shown as they were written)',
    }),
  ),
};

const OrderDetails = Type.Object(details);

export const EXAMPLE_DETAILS: Static<typeof OrderDetails> = {
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

const showOrder = writerOf(ORDER, 'shown');

/** Amounts are decimal numbers in answers. */
export const presentOrder = (order: Order): Static<typeof OrderDetails> => {
  const exponent = exponentOf(order);
  if (exponent === null) throw new Error(`order ${order.orderId} has the unknown currency ${order.currency}`);
  return {
    order: showOrder(order, exponent),
    shippingCost: shippingOf(order, exponent),
    ...(order.remarks === undefined ? {} : { remarks: [...order.remarks] }),
  };
};
