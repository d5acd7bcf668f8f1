/** The order as both services know it. Money is integer minor units of its currency; see `money.ts`. */

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

export interface OrderItem {
  readonly itemId: string;
  readonly quantity: number;
  /** For one piece, in minor units. */
  readonly price: number;
}

export interface Order {
  /** Canonical: `ORD-` and digits. */
  readonly orderId: string;
  readonly customerId: string;
  /** ISO 8601, UTC. */
  readonly orderDate: string;
  readonly items: readonly OrderItem[];
  /** The sum of quantity x price, in minor units. */
  readonly totalAmount: number;
  /** ISO 4217 alphabetic code. */
  readonly currency: string;
  readonly status: OrderStatus;
}

export const ORDER_ID_PATTERN = '^(ORD-)?[0-9]{1,64}$';
export const ORDER_ID_MESSAGE = 'must be 1 to 64 digits, with or without "ORD-" before them';

const orderIdRegExp = new RegExp(ORDER_ID_PATTERN);

/** Digits gain `ORD-`; leading zeros count: `123` and `0123` are two orders. Null where it is no order id. */
export const canonicalOrderId = (id: string): string | null =>
  orderIdRegExp.test(id) ? (id.startsWith('ORD-') ? id : `ORD-${id}`) : null;

const statuses: ReadonlySet<string> = new Set(ORDER_STATUSES);

/** Statuses are case-insensitive on the way in, lower case everywhere inside. */
export const parseStatus = (text: string): OrderStatus | null => {
  const status = text.toLowerCase();
  return statuses.has(status) ? (status as OrderStatus) : null;
};
