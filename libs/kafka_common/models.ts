import Type from 'typebox';
import type { Remark } from './amounts.ts';
import { amount, currency, id, instant, LIMITS, quantity, sameEverywhere } from './field_kinds.ts';
import { fromClient, listOf, type ObjectOf } from './fields.ts';
import { fail, quote } from './invalid_event.ts';

/** The order, described once: its types, schemas, readers and writers are made of this description. */

export const ORDER_STATUSES = [
  'new',
  'pending',
  'confirmed',
  'processing',
  'dispatched',
  'shipped',
  'delivered',
  'completed',
  'cancelled',
] as const;

export type OrderStatus = (typeof ORDER_STATUSES)[number];

const statuses: ReadonlySet<string> = new Set(ORDER_STATUSES);

/** Statuses are read in any case and held in lower case. Null if the text is not a status. */
export const parseStatus = (text: string): OrderStatus | null => {
  const status = text.toLowerCase();
  return statuses.has(status) ? (status as OrderStatus) : null;
};

export const ORDER_ID_PATTERN = '^(ORD-)?[0-9]{1,64}$';
export const ORDER_ID_MESSAGE = 'must be 1 to 64 digits, with or without "ORD-" before them';

const orderIdRegExp = new RegExp(ORDER_ID_PATTERN);

/** Digits gain `ORD-`. Leading zeros count: `123` and `0123` are two orders. Null if the text is not an order id. */
export const canonicalOrderId = (text: string): string | null =>
  orderIdRegExp.test(text) ? (text.startsWith('ORD-') ? text : `ORD-${text}`) : null;

export const ORDER_ID = {
  ...sameEverywhere(Type.String({ pattern: '^ORD-[0-9]{1,64}$' })),
  accepted: Type.String({ pattern: ORDER_ID_PATTERN }),
  read: (json: string): string => canonicalOrderId(json) ?? fail(`order_id ${quote(json)} is not an order id`),
};

export const STATUS = {
  ...sameEverywhere(Type.String({ enum: [...ORDER_STATUSES] })),
  accepted: Type.String({ description: `In any case one of: ${ORDER_STATUSES.join(', ')}` }),
  read: (json: string): OrderStatus => parseStatus(json) ?? fail(`unknown status ${quote(json)}`),
};

export const ORDER_ITEM = {
  itemId: id('The id of the article'),
  quantity: quantity(),
  /** For one piece, in minor units of the order's currency. */
  price: amount('For one piece, with no more decimals than the currency has'),
};

export const ORDER = {
  /** Canonical: `ORD-` and digits. */
  orderId: ORDER_ID,
  customerId: fromClient(id(), 'Generated at random if left out'),
  /** ISO 8601, UTC. */
  orderDate: instant(),
  items: fromClient(
    listOf(ORDER_ITEM, { maxItems: LIMITS.items, requestedTitle: 'NewItem', shownTitle: 'OrderItem' }),
    'Generated at random if left out',
  ),
  /** The sum of quantity x price, in minor units. */
  totalAmount: amount('The sum of quantity x price, exactly'),
  /** ISO 4217 alphabetic code. */
  currency: fromClient(currency(), 'ISO 4217. If left out: USD if `items` are given, else generated at random'),
  status: STATUS,
};

export type OrderItem = ObjectOf<typeof ORDER_ITEM>;
export interface Order extends ObjectOf<typeof ORDER> {
  /** What is unusual about the amounts of another producer. Left out if nothing is. */
  readonly remarks?: readonly Remark[];
}
