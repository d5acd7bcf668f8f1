import { hash } from 'node:crypto';
import type { Static } from 'typebox';
import { canonicalOrderId, ORDER_STATUSES, type OrderItem, parseStatus } from '#kafka_common/models.ts';
import { currencyExponent, toMinorUnits, totalOf } from '#kafka_common/money.ts';
import { type FieldError, validationProblem } from '#service_common/errors.ts';
import type { CreateOrder, UpdateOrder } from '#cart_service/order_commands.ts';
import type { CreateOrderBody, UpdateOrderBody } from './schemas.ts';

/** The currency of given items that come without one. */
const DEFAULT_CURRENCY = 'USD';

/** A body that its schema has passed, as a command. @throws Problem `ValidationFailed` for what no schema can say */
export const toCreateOrder = (body: Static<typeof CreateOrderBody>): CreateOrder => {
  const orderId = canonicalOrderId(String(body.order_id)) ?? invalid({ field: 'order_id', message: 'is no order id' });
  // The schema asks for one of the two.
  const numberOfItems = body.number_of_items ?? body.items?.length ?? 0;
  if (body.items !== undefined && body.items.length !== numberOfItems) {
    invalid({ field: 'number_of_items', message: `is ${numberOfItems}, but ${body.items.length} items are given` });
  }
  const currency = body.currency ?? (body.items === undefined ? null : DEFAULT_CURRENCY);
  const exponent = currencyExponent(currency ?? DEFAULT_CURRENCY);
  if (exponent === null) return invalid({ field: 'currency', message: `${currency} is not a currency of ISO 4217` });
  const items = body.items === undefined ? null : toItems(body.items, currency ?? DEFAULT_CURRENCY, exponent);
  const customerId = body.customer_id ?? null;
  return {
    kind: 'create',
    orderId,
    draft: { orderId, numberOfItems, items, customerId, currency },
    fingerprint: fingerprintOf('create', orderId, numberOfItems, items, customerId, currency),
  };
};

/** @throws Problem `ValidationFailed` */
export const toUpdateOrder = (body: Static<typeof UpdateOrderBody>): UpdateOrder => {
  const orderId = canonicalOrderId(String(body.order_id)) ?? invalid({ field: 'order_id', message: 'is no order id' });
  const status =
    parseStatus(body.status) ?? invalid({ field: 'status', message: `must be one of ${ORDER_STATUSES.join(', ')}` });
  return { kind: 'update', orderId, status, fingerprint: fingerprintOf('update', orderId, status) };
};

const toItems = (
  given: readonly { item_id: string; quantity: number; price: number }[],
  currency: string,
  exponent: number,
): OrderItem[] => {
  const errors: FieldError[] = [];
  const items = given.map(({ item_id, quantity, price }, index) => {
    const minor = toMinorUnits(price, exponent);
    if (minor === null) {
      errors.push({
        field: `items.${index}.price`,
        message: `is too large or has more than the ${exponent} decimals of ${currency}`,
      });
    }
    return { itemId: item_id, quantity, price: minor ?? 0 };
  });
  if (errors.length === 0 && totalOf(items) === null)
    errors.push({ field: 'items', message: 'have a total that is too large' });
  return errors.length > 0 ? invalid(...errors) : items;
};

const fingerprintOf = (...parts: unknown[]): string => hash('sha256', JSON.stringify(parts), 'base64url');

const invalid = (...errors: FieldError[]): never => {
  throw validationProblem(errors);
};
