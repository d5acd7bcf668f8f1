import { isUtf8 } from 'node:buffer';
import type { Order } from '#kafka_common/models.ts';
import { currencyExponent, fromMinorUnits, shippingCost } from '#kafka_common/money.ts';
import type { HistoryEvent, StoredDeadLetter, StoredEvent, ViewedOrder } from '#order_service/consumer_db.ts';
import type { OrderDetails } from './schemas.ts';

/** An order as the API shows it: amounts are decimal from here on. */
export const presentOrder = (order: Order): OrderDetails => {
  const exponent = currencyExponent(order.currency);
  if (exponent === null) throw new Error(`order ${order.orderId} has the unknown currency ${order.currency}`);
  const decimal = (minor: number): number => fromMinorUnits(minor, exponent);
  return {
    order: {
      ...order,
      items: order.items.map((item) => ({ ...item, price: decimal(item.price) })),
      totalAmount: decimal(order.totalAmount),
    },
    shippingCost: decimal(shippingCost(order.totalAmount)),
  };
};

export const presentListedOrder = (order: ViewedOrder) => {
  const { orderId, customerId, orderDate, currency, status, version } = order;
  const { totalAmount } = presentOrder(order).order;
  return { orderId, customerId, orderDate, numberOfItems: order.items.length, totalAmount, currency, status, version };
};

export const presentEvent = ({ orderId, ...event }: StoredEvent) => ({
  orderId,
  ...event,
  timestamp: isoTime(event.timestamp),
});

/**
 * Events of one order, newest first. One without effect is `late` where none of its version had come before it, as far
 * as these events tell.
 */
export const presentHistory = (events: readonly StoredEvent[]) =>
  events.map(({ orderId: _orderId, ...event }, n) => {
    const isLate = event.outcome === 'duplicate' && event.version !== null && !hasVersion(events.slice(n + 1), event);
    return { ...event, outcome: isLate ? ('late' as const) : event.outcome, timestamp: isoTime(event.timestamp) };
  });

const hasVersion = (earlier: readonly HistoryEvent[], { version }: Pick<HistoryEvent, 'version'>): boolean =>
  earlier.some((event) => event.version === version);

export const presentDeadLetter = ({ redrive, ...letter }: StoredDeadLetter): Record<string, unknown> => ({
  ...letter,
  timestamp: isoTime(letter.timestamp),
  key: presentBytes(letter.key),
  value: presentBytes(letter.value),
  headers: letter.headers.map(([name, value]) => ({ name, value: presentBytes(value) })),
  storedAt: isoTime(letter.storedAt),
  redriven: redrive === null ? null : { ...redrive, at: isoTime(redrive.at) },
});

const presentBytes = (bytes: Buffer | null): { text: string } | { base64: string } | null => {
  if (bytes === null) return null;
  return isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') };
};

/** Null where some producer wrote a timestamp that is none. */
const isoTime = (ms: number): string | null => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
};
