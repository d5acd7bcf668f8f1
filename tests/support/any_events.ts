import fc from 'fast-check';
import { LIMITS } from '#kafka_common/field_kinds.ts';
import type { OrderCreated, OrderEvent, OrderStatusUpdated } from '#kafka_common/events.ts';
import { ORDER, type Order, type OrderItem, ORDER_STATUSES } from '#kafka_common/models.ts';
import { CURRENCIES, totalOf } from '#kafka_common/money.ts';

/** Arbitrary events, for property tests: everything that the contract allows. */

/** Any text that may be an id, of any characters. */
export const anyId = fc.string({ unit: 'binary', minLength: 1, maxLength: LIMITS.idLength });

const anyOrderId = fc.stringMatching(/^[0-9]{1,64}$/).map((digits) => `ORD-${digits}`);

const anyDate = fc
  .date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString());

const anyItem: fc.Arbitrary<OrderItem> = fc.record(
  {
    itemId: anyId,
    quantity: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: LIMITS.quantity })),
    price: fc.oneof(fc.nat({ max: 100_000 }), fc.nat({ max: 999_999_999_999_999 })),
  },
  { noNullPrototype: true },
);

/** Items whose total is not too large. */
export const anyItems = fc.array(anyItem, { minLength: 1, maxLength: 5 }).filter((items) => totalOf(items) !== null);

/** A field that is added to the order is a type error here until events with it are generated too. */
type FieldsToGenerate = Omit<Order, 'orderId' | 'totalAmount' | 'remarks'>;

const orderFields: { readonly [K in keyof FieldsToGenerate]-?: fc.Arbitrary<NonNullable<FieldsToGenerate[K]>> } = {
  customerId: anyId,
  orderDate: anyDate,
  items: anyItems,
  currency: fc.constantFrom(...CURRENCIES),
  status: fc.constantFrom(...ORDER_STATUSES),
};

const isRequired = (name: string): name is keyof FieldsToGenerate =>
  !('isOptional' in ORDER[name as keyof FieldsToGenerate]);

const orderWith = (orderId: string): fc.Arbitrary<Order> =>
  fc
    .record(orderFields, { requiredKeys: Object.keys(orderFields).filter(isRequired) })
    .map((order) => ({ ...order, orderId, totalAmount: totalOf(order.items) ?? 0 }));

const anyEnvelope = fc.record({
  eventId: anyId,
  timestamp: anyDate,
  orderId: anyOrderId,
  version: fc.option(fc.integer({ min: 1, max: LIMITS.version })),
});

const anyCreated: fc.Arbitrary<OrderCreated> = anyEnvelope.chain((envelope) =>
  orderWith(envelope.orderId).map((order) => ({ ...envelope, type: 'ORDER_CREATED', order })),
);

const anyStatusUpdated: fc.Arbitrary<OrderStatusUpdated> = fc
  .tuple(anyEnvelope, fc.constantFrom(...ORDER_STATUSES))
  .map(([envelope, status]) => ({ ...envelope, type: 'ORDER_STATUS_UPDATED', status }));

export const anyEvent: fc.Arbitrary<OrderEvent> = fc.oneof(anyCreated, anyStatusUpdated);
