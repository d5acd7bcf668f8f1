import { isUtf8 } from 'node:buffer';
import type { Order } from '#kafka_common/models.ts';
import { currencyExponent, fromMinorUnits, shippingCost } from '#kafka_common/money.ts';
import type { DeadLetter } from '../../consumer_db.ts';
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

export const presentDeadLetter = (letter: DeadLetter & { readonly id: number }): Record<string, unknown> => ({
  ...letter,
  timestamp: isoTime(letter.timestamp),
  key: presentBytes(letter.key),
  value: presentBytes(letter.value),
  headers: letter.headers.map(([name, value]) => ({ name, value: presentBytes(value) })),
  storedAt: isoTime(letter.storedAt),
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
