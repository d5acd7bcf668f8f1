import type { Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { ACCEPTED, LIMITS } from './event_schemas.ts';
import { canonicalOrderId, type Order, type OrderItem, type OrderStatus, parseStatus } from './models.ts';
import { currencyExponent, fromMinorUnits, toMinorUnits, totalOf } from './money.ts';

/**
 * The events of the topic, as the program holds them and as they stand in JSON on the wire.
 *
 * Written strictly: snake_case, one form. Read with more tolerance, since other producers write to the topic too:
 * camelCase inside `order`, dates with or without a zone, unknown extra fields, no `version`.
 */

interface EventEnvelope {
  readonly eventId: string;
  /** When it happened: ISO 8601, UTC. */
  readonly timestamp: string;
  readonly orderId: string;
  /** Counts the events of one order from 1. Null from producers that do not count: applied in order of arrival. */
  readonly version: number | null;
}

export interface OrderCreated extends EventEnvelope {
  readonly type: 'ORDER_CREATED';
  readonly order: Order;
}

export interface OrderStatusUpdated extends EventEnvelope {
  readonly type: 'ORDER_STATUS_UPDATED';
  readonly status: OrderStatus;
}

export type OrderEvent = OrderCreated | OrderStatusUpdated;

type WireCreated = Static<typeof ACCEPTED.ORDER_CREATED>;
type WireStatusUpdated = Static<typeof ACCEPTED.ORDER_STATUS_UPDATED>;

const validators = {
  ORDER_CREATED: Compile(ACCEPTED.ORDER_CREATED),
  ORDER_STATUS_UPDATED: Compile(ACCEPTED.ORDER_STATUS_UPDATED),
};

/** Why some JSON is not an event, in words an operator can act on. */
export class InvalidEvent extends Error {}

export const toWire = (event: OrderEvent): WireCreated | WireStatusUpdated => {
  const head = {
    event_id: event.eventId,
    event_type: event.type,
    timestamp: event.timestamp,
    order_id: event.orderId,
    ...(event.version === null ? {} : { version: event.version }),
  };
  return event.type === 'ORDER_CREATED'
    ? { ...head, event_type: event.type, order: orderToWire(event.order) }
    : { ...head, event_type: event.type, status: event.status };
};

const orderToWire = (order: Order): WireCreated['order'] => {
  const exponent = exponentOf(order.currency);
  return {
    order_id: order.orderId,
    customer_id: order.customerId,
    order_date: order.orderDate,
    items: order.items.map(({ itemId, quantity, price }) => ({
      item_id: itemId,
      quantity,
      price: fromMinorUnits(price, exponent),
    })),
    total_amount: fromMinorUnits(order.totalAmount, exponent),
    currency: order.currency,
    status: order.status,
  };
};

/** @throws InvalidEvent */
export const fromWire = (json: unknown): OrderEvent => {
  if (!isObject(json)) throw new InvalidEvent('the value is not a JSON object');
  if (json['event_type'] === 'ORDER_CREATED') {
    const wire = check(validators.ORDER_CREATED, { ...json, order: orderNamesToSnakeCase(json['order']) });
    const order = orderFromWire(wire.order);
    const head = envelopeFromWire(wire);
    if (order.orderId !== head.orderId) {
      throw new InvalidEvent(`order_id ${head.orderId} and order.order_id ${order.orderId} differ`);
    }
    return { ...head, type: 'ORDER_CREATED', order };
  }
  if (json['event_type'] === 'ORDER_STATUS_UPDATED') {
    const wire = check(validators.ORDER_STATUS_UPDATED, json);
    return { ...envelopeFromWire(wire), type: 'ORDER_STATUS_UPDATED', status: statusFromWire(wire.status) };
  }
  throw new InvalidEvent(`unknown event_type ${quote(json['event_type'])}`);
};

const envelopeFromWire = (wire: WireCreated | WireStatusUpdated): EventEnvelope => ({
  eventId: wire.event_id,
  timestamp: toUtc(wire.timestamp, 'timestamp'),
  orderId: orderIdFromWire(wire.order_id),
  version: wire.version ?? null,
});

const orderFromWire = (wire: WireCreated['order']): Order => {
  const exponent = currencyExponent(wire.currency);
  if (exponent === null) throw new InvalidEvent(`currency ${quote(wire.currency)} is not one of ISO 4217`);
  const items: OrderItem[] = wire.items.map(({ item_id, quantity, price }) => ({
    itemId: item_id,
    quantity,
    price: amountFromWire(price, exponent, 'price'),
  }));
  const totalAmount = amountFromWire(wire.total_amount, exponent, 'total_amount');
  const sum = totalOf(items);
  if (totalAmount !== sum) throw new InvalidEvent(`total_amount ${wire.total_amount} is not the sum of the items`);
  return {
    orderId: orderIdFromWire(wire.order_id),
    customerId: wire.customer_id,
    orderDate: toUtc(wire.order_date, 'order_date'),
    items,
    totalAmount,
    currency: wire.currency,
    status: statusFromWire(wire.status),
  };
};

const orderIdFromWire = (id: string): string =>
  canonicalOrderId(id) ?? fail(`order_id ${quote(id)} is not an order id`);

const statusFromWire = (text: string): OrderStatus => parseStatus(text) ?? fail(`unknown status ${quote(text)}`);

const amountFromWire = (amount: number, exponent: number, field: string): number =>
  toMinorUnits(amount, exponent) ?? fail(`${field} ${amount} is no amount with at most ${exponent} decimals`);

/** A date without a zone means UTC. */
const toUtc = (text: string, field: string): string => {
  if (isWrittenByUs(text)) return text;
  const hasTime = text.length > 10;
  const hasZone = hasTime && /(Z|[+-]\d{2}:?\d{2})$/.test(text);
  const date = new Date(hasTime && !hasZone ? `${text.replace(' ', 'T')}Z` : text.replace(' ', 'T'));
  // `Date` takes 30 February for 2 March.
  const dayExists = new Date(text.slice(0, 10)).getUTCDate() === Number(text.slice(8, 10));
  return dayExists && !Number.isNaN(date.getTime()) ? date.toISOString() : fail(`${field} ${quote(text)} is no date`);
};

const UTC_MS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Most dates are written as `Date` writes them, and need not be written anew. */
const isWrittenByUs = (text: string): boolean =>
  UTC_MS.test(text) && new Date(text).getUTCDate() === Number(text.slice(8, 10));

const SNAKE_CASE = [
  ['orderId', 'order_id'],
  ['customerId', 'customer_id'],
  ['orderDate', 'order_date'],
  ['totalAmount', 'total_amount'],
  ['itemId', 'item_id'],
] as const;

const orderNamesToSnakeCase = (order: unknown): unknown => {
  if (!isObject(order)) return order;
  const named = toSnakeCase(order);
  const items = named['items'];
  // Here, as the validator would list what is wrong with each of them: a message has room for 300,000.
  if (Array.isArray(items) && items.length > LIMITS.items) {
    throw new InvalidEvent(`order.items must not have more than ${LIMITS.items} items`);
  }
  return Array.isArray(items)
    ? { ...named, items: items.map((item: unknown) => (isObject(item) ? toSnakeCase(item) : item)) }
    : named;
};

/** The snake_case name wins where both are there. */
const toSnakeCase = (object: Record<string, unknown>): Record<string, unknown> => {
  let named = object;
  for (const [camel, snake] of SNAKE_CASE) {
    if (Object.hasOwn(object, camel) && !Object.hasOwn(object, snake)) named = { ...named, [snake]: object[camel] };
  }
  return named;
};

const check = <T>(
  validator: { Check(value: unknown): value is T; Errors(value: unknown): object[] },
  value: unknown,
): T => {
  if (validator.Check(value)) return value;
  const [first] = validator.Errors(value) as { instancePath: string; message: string }[];
  throw new InvalidEvent(
    `${first?.instancePath.slice(1).replaceAll('/', '.') ?? ''} ${first?.message ?? 'is invalid'}`.trim(),
  );
};

const exponentOf = (currency: string): number =>
  currencyExponent(currency) ?? fail(`unknown currency ${quote(currency)}`);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Values of others go into logs and dead letters: of text no more than this, of anything else only what it is. */
const quote = (value: unknown): string =>
  typeof value === 'string'
    ? JSON.stringify(value.slice(0, 100))
    : value === undefined
      ? 'undefined'
      : `of type ${typeof value}`;

const fail = (reason: string): never => {
  throw new InvalidEvent(reason);
};
