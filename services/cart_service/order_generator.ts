import type { FromClient } from '#kafka_common/fields.ts';
import type { ORDER, Order, OrderItem } from '#kafka_common/models.ts';
import { currencyExponent, totalOf } from '#kafka_common/money.ts';

type Given = Pick<Order, keyof FromClient<typeof ORDER>>;

/**
 * What the client gave for a new order. Null means that the field is to be generated; a field that an order can be
 * without is left out instead.
 */
export type OrderDraft = {
  readonly [K in keyof Given]: Given[K] | (undefined extends Given[K] ? never : null);
} & {
  readonly orderId: string;
  /** The number of items to generate, or the length of `items` if the client gave them. */
  readonly numberOfItems: number;
};

/** Returns a number from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

const GENERATED_CURRENCIES = ['USD', 'EUR', 'GBP', 'JPY'] as const;
const GENERATED_CUSTOMERS = 99_999;
const MAX_GENERATED_QUANTITY = 5;
/** In whole units of the currency. */
const MAX_GENERATED_PRICE = 200;

/** Makes an order of status `new` from a draft; generates what is null. `orderDate` is ISO 8601, UTC. */
export const generateOrder = (draft: OrderDraft, orderDate: string, random: Random): Order => {
  const { orderId, numberOfItems, customerId, items: givenItems, currency: givenCurrency, ...others } = draft;
  const currency = givenCurrency ?? pick(GENERATED_CURRENCIES, random);
  const items = givenItems ?? generateItems(numberOfItems, 10 ** (currencyExponent(currency) ?? 2), random);
  return {
    orderId,
    customerId: customerId ?? `CUST-${padded(integer(1, GENERATED_CUSTOMERS, random), 5)}`,
    orderDate,
    items,
    totalAmount: totalOf(items) ?? 0,
    currency,
    status: 'new',
    ...others,
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
