import { hash } from 'node:crypto';
import type { Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { exponentOf, withRemarks } from './amounts.ts';
import { ACCEPTED, WRITTEN } from './event_schemas.ts';
import { LIMITS, toUtc } from './field_kinds.ts';
import { readerOf, writerOf } from './fields.ts';
import { fail, InvalidEvent, quote } from './invalid_event.ts';
import { ORDER, ORDER_ID, ORDER_ITEM, type Order, type OrderStatus, STATUS } from './models.ts';
import { currencyExponent } from './money.ts';
import { snakeCase } from './snake_case.ts';

/**
 * The events of the topic, as the program holds them and as JSON.
 *
 * The Cart Service writes one strict form in snake_case. Other producers write to the topic too, so reading is more
 * tolerant: camelCase inside `order`, dates with or without a zone, unknown extra fields, no `version`, amounts as
 * programs write them that add floats (`amounts.ts`).
 */

interface EventEnvelope {
  readonly eventId: string;
  /** When it happened: ISO 8601, UTC. */
  readonly timestamp: string;
  readonly orderId: string;
  /** Counts the events of one order from 1. Null if its producer does not count: applied in order of arrival. */
  readonly version: number | null;
  /** The `ce_source` of an event without a version: its id is unique within that source. Left out if there is none. */
  readonly source?: string;
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

const writtenValidators = {
  ORDER_CREATED: Compile(WRITTEN.ORDER_CREATED),
  ORDER_STATUS_UPDATED: Compile(WRITTEN.ORDER_STATUS_UPDATED),
};

const readOrder = readerOf(ORDER);
const writeOrder = writerOf(ORDER, 'written');

/**
 * The event as JSON that this program reads. Only events of other producers have no version.
 * @throws InvalidEvent if no reader would accept it: such an event must not be stored
 */
export const toWire = (event: OrderEvent): WireCreated | WireStatusUpdated => {
  const wire = unchecked(event);
  const ofType = event.version === null ? validators : writtenValidators;
  check<WireCreated | WireStatusUpdated>(ofType[event.type], wire);
  return wire;
};

const unchecked = (event: OrderEvent): WireCreated | WireStatusUpdated => {
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

const orderToWire = (order: Order): WireCreated['order'] =>
  writeOrder(order, exponentOf(order) ?? fail(`unknown currency ${quote(order.currency)}`));

/**
 * What recognises the repetition of an event without a version. CloudEvents 1.0: an id is unique within its source. The id
 * alone counts if the source is unknown.
 */
export const repetitionKeyOf = ({ source, eventId }: Pick<OrderEvent, 'source' | 'eventId'>): string =>
  source === undefined ? eventId : hash('sha256', JSON.stringify([source, eventId]), 'base64url');

/** @throws InvalidEvent */
export const fromWire = (json: unknown): OrderEvent => {
  if (!isObject(json)) throw new InvalidEvent('the value is not a JSON object');
  if (json['event_type'] === 'ORDER_CREATED') {
    const wire = check(validators.ORDER_CREATED, { ...json, order: withSnakeCaseNames(json['order']) });
    const head = envelopeFromWire(wire);
    const order = orderFromWire(wire.order);
    if (order.orderId !== head.orderId) {
      throw new InvalidEvent(`order_id ${head.orderId} and order.order_id ${order.orderId} differ`);
    }
    return { ...head, type: 'ORDER_CREATED', order };
  }
  if (json['event_type'] === 'ORDER_STATUS_UPDATED') {
    const wire = check(validators.ORDER_STATUS_UPDATED, json);
    return { ...envelopeFromWire(wire), type: 'ORDER_STATUS_UPDATED', status: STATUS.read(wire.status) };
  }
  throw new InvalidEvent(`unknown event_type ${quote(json['event_type'])}`);
};

const envelopeFromWire = (wire: WireCreated | WireStatusUpdated): EventEnvelope => ({
  eventId: wire.event_id,
  timestamp: toUtc(wire.timestamp, 'timestamp'),
  orderId: ORDER_ID.read(wire.order_id),
  version: wire.version ?? null,
});

const orderFromWire = (wire: WireCreated['order']): Order => {
  const exponent = currencyExponent(wire.currency) ?? fail(`currency ${quote(wire.currency)} is not one of ISO 4217`);
  return withRemarks(readOrder(wire, exponent), wire, exponent);
};

type Names = readonly (readonly [camelCase: string, snakeCase: string])[];

const namesThatDiffer = (fields: object): Names =>
  Object.keys(fields)
    .map((name) => [name, snakeCase(name)] as const)
    .filter(([camel, snake]) => camel !== snake);

const ORDER_NAMES = namesThatDiffer(ORDER);
const ITEM_NAMES = namesThatDiffer(ORDER_ITEM);

/** An order as it came, with its fields and those of its items in snake_case. */
const withSnakeCaseNames = (order: unknown): unknown => {
  if (!isObject(order)) return order;
  const named = toSnakeCase(order, ORDER_NAMES);
  const items = named['items'];
  if (!Array.isArray(items)) return named;
  // Checked here: the validator would list the errors of each item, and a message has room for 300,000 items.
  if (items.length > LIMITS.items) fail(`order.items must not have more than ${LIMITS.items} items`);
  const namedItems = items.map((item: unknown) => (isObject(item) ? toSnakeCase(item, ITEM_NAMES) : item));
  return { ...named, items: namedItems };
};

/** If both names are there, the snake_case one counts. */
const toSnakeCase = (object: Record<string, unknown>, names: Names): Record<string, unknown> => {
  let named = object;
  for (const [camel, snake] of names) {
    if (Object.hasOwn(object, camel) && !Object.hasOwn(object, snake)) named = { ...named, [snake]: object[camel] };
  }
  return named;
};

interface Validator<T> {
  Check(value: unknown): value is T;
  Errors(value: unknown): object[];
}

const check = <T>(validator: Validator<T>, value: unknown): T => {
  if (validator.Check(value)) return value;
  const [first] = validator.Errors(value) as { instancePath: string; message: string }[];
  throw new InvalidEvent(
    `${first?.instancePath.slice(1).replaceAll('/', '.') ?? ''} ${first?.message ?? 'is invalid'}`.trim(),
  );
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
