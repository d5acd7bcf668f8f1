import { hash } from 'node:crypto';
import type { Static } from 'typebox';
import { type FromClient, fromClientOf, readerOf } from '#kafka_common/fields.ts';
import { canonicalOrderId, ORDER, ORDER_ID_MESSAGE, ORDER_STATUSES, parseStatus } from '#kafka_common/models.ts';
import { currencyExponent, toMinorUnits, totalOf } from '#kafka_common/money.ts';
import { type FieldError, validationProblem } from '#service_common/errors.ts';
import type { CreateOrder, UpdateOrder } from '#cart_service/order_commands.ts';
import type { OrderDraft } from '#cart_service/order_generator.ts';
import type { CreateOrderBody, UpdateOrderBody } from './schemas.ts';

/** The currency of a request that gives items but no currency. */
const DEFAULT_CURRENCY = 'USD';

type Body = Static<typeof CreateOrderBody>;

const readGiven = readerOf(fromClientOf(ORDER));

/**
 * The command of a body that is valid by its schema.
 * @throws Problem `ValidationFailed` for what a JSON Schema cannot check
 */
export const toCreateOrder = (body: Body): CreateOrder => {
  const orderId = toOrderId(body.order_id);
  // The schema requires one of the two.
  const numberOfItems = body.number_of_items ?? body.items?.length ?? 0;
  if (body.items !== undefined && body.items.length !== numberOfItems) {
    invalid({ field: 'number_of_items', message: `is ${numberOfItems}, but ${body.items.length} items are given` });
  }
  const { currency: pricesIn = DEFAULT_CURRENCY } = body;
  const exponent =
    currencyExponent(pricesIn) ?? invalid({ field: 'currency', message: `${pricesIn} is not a currency of ISO 4217` });
  checkPrices(body.items ?? [], pricesIn, exponent);
  const given = readGiven(body, exponent);
  const { items = null, customerId = null, currency = items === null ? null : DEFAULT_CURRENCY } = given;
  if (items !== null && totalOf(items) === null) invalid({ field: 'items', message: 'have a total that is too large' });
  const draft = { ...given, orderId, numberOfItems, items, customerId, currency };
  return { kind: 'create', orderId, draft, fingerprint: fingerprintOfCreate(draft) };
};

/** @throws Problem `ValidationFailed` */
export const toUpdateOrder = (body: Static<typeof UpdateOrderBody>): UpdateOrder => {
  const orderId = toOrderId(body.order_id);
  const status =
    parseStatus(body.status) ?? invalid({ field: 'status', message: `must be one of ${ORDER_STATUSES.join(', ')}` });
  return { kind: 'update', orderId, status, fingerprint: fingerprintOf('update', orderId, status) };
};

const toOrderId = (given: string | number): string =>
  canonicalOrderId(String(given)) ?? invalid({ field: 'order_id', message: ORDER_ID_MESSAGE });

const checkPrices = (items: readonly { price: number }[], currency: string, exponent: number): void => {
  const errors: FieldError[] = [];
  items.forEach(({ price }, index) => {
    if (toMinorUnits(price, exponent) !== null) return;
    const message = `is too large or has more than the ${exponent} decimals of ${currency}`;
    errors.push({ field: `items.${index}.price`, message });
  });
  if (errors.length > 0) invalid(...errors);
};

const FIELDS = Object.keys(fromClientOf(ORDER)) as (keyof FromClient<typeof ORDER>)[];
const LATER_FIELDS = FIELDS.filter((name) => !['items', 'customerId', 'currency'].includes(name));

/**
 * The fields of the first version stand by position, so that the fingerprints stored since then stay valid. A later
 * field goes in with its name if the client gave it.
 */
const fingerprintOfCreate = (draft: OrderDraft): string => {
  const { orderId, numberOfItems, items, customerId, currency } = draft;
  const later = LATER_FIELDS.filter((name) => draft[name] !== undefined).map((name) => [name, draft[name]]);
  return fingerprintOf('create', orderId, numberOfItems, items, customerId, currency, ...later);
};

const fingerprintOf = (...parts: unknown[]): string => hash('sha256', JSON.stringify(parts), 'base64url');

const invalid = (...errors: FieldError[]): never => {
  throw validationProblem(errors);
};
