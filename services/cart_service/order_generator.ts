import type { Order, OrderItem } from '#kafka_common/models.ts';
import { currencyExponent, totalOf } from '#kafka_common/money.ts';

/** The parts of a new order that the client gave. The rest is generated. Prices are in minor units of the currency. */
export interface OrderDraft {
  readonly orderId: string;
  /** How many items to generate; the length of `items` if they are given. */
  readonly numberOfItems: number;
  readonly items: readonly OrderItem[] | null;
  readonly customerId: string | null;
  readonly currency: string | null;
}

/** @returns a number from 0 up to, but not including, 1 */
export type Random = () => number;

const GENERATED_CURRENCIES = ['USD', 'EUR', 'GBP', 'JPY'] as const;
const GENERATED_CUSTOMERS = 99_999;
const MAX_GENERATED_QUANTITY = 5;
/** In whole units of the currency. */
const MAX_GENERATED_PRICE = 200;

/** Fills a draft with random values, as an order of status `new`. `orderDate` is ISO 8601, in UTC. */
export const generateOrder = (draft: OrderDraft, orderDate: string, random: Random): Order => {
  const currency = draft.currency ?? pick(GENERATED_CURRENCIES, random);
  const items = draft.items ?? generateItems(draft.numberOfItems, 10 ** (currencyExponent(currency) ?? 2), random);
  return {
    orderId: draft.orderId,
    customerId: draft.customerId ?? `CUST-${padded(integer(1, GENERATED_CUSTOMERS, random), 5)}`,
    orderDate,
    items,
    totalAmount: totalOf(items) ?? 0,
    currency,
    status: 'new',
  };
};

const generateItems = (count: number, minorUnits: number, random: Random): OrderItem[] =>
  Array.from({ length: count }, (_, index) => ({
    itemId: `ITEM-${padded(index + 1, 3)}`,
    quantity: integer(1, MAX_GENERATED_QUANTITY, random),
    price: integer(minorUnits, MAX_GENERATED_PRICE * minorUnits, random),
  }));

const integer = (minimum: number, maximum: number, random: Random): number =>
  minimum + Math.floor(random() * (maximum - minimum + 1));

const pick = <T>(values: readonly [T, ...T[]], random: Random): T =>
  values[integer(0, values.length - 1, random)] ?? values[0];

const padded = (number: number, digits: number): string => String(number).padStart(digits, '0');
