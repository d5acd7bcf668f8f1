import { currencyExponent, fromMinorUnits, MAX_AMOUNT, shippingCost, totalOf } from './money.ts';

/**
 * Amounts as other producers write them. Programs that add floats write 976.5799999999999 and mean 976.58; programs that
 * draw prices with two decimals write 45.31 yen. Such orders are read, and remarked on.
 *
 * If an amount has more decimals than its currency, all amounts of its order are held as decimal numbers and not in
 * minor units: no unit is fine enough for every number that JSON can hold.
 */

export const REMARKS = ['more_decimals_than_currency', 'total_differs_from_items'] as const;

export type Remark = (typeof REMARKS)[number];

interface Amounts {
  readonly totalAmount: number;
  readonly items: readonly { readonly quantity: number; readonly price: number }[];
}

interface Remarked extends Amounts {
  readonly currency: string;
  readonly remarks?: readonly Remark[];
}

/** How far a float may be from the amount that it stands for, as a part of the amount and as a part of the unit. */
const RELATIVE_ERROR = 1e-9;
const UNIT_ERROR = 0.01;

/** Instead of minor units if an amount has more decimals than its currency. */
const MORE_DECIMALS = NaN;

/**
 * An amount in units of 10^-exponent, if the number is that amount or its float image. NaN if the number has more
 * decimals. Null if it is negative, or too large to be exact in that unit.
 */
export const readAmount = (amount: number, exponent: number): number | null => {
  const scale = 10 ** exponent;
  // JSON can hold -0. Adding 0 makes it 0.
  const minor = Math.round(amount * scale) + 0;
  if (!(amount >= 0 && minor <= MAX_AMOUNT)) return null;
  const error = Math.abs(minor / scale - amount);
  return error <= tolerance(amount, scale) ? minor : MORE_DECIMALS;
};

const tolerance = (amount: number, scale: number): number => Math.min(RELATIVE_ERROR * amount, UNIT_ERROR / scale);

/** The total and each price of the sum can be off. */
const sumTolerance = (sum: number, numberOfAmounts: number, scale: number): number =>
  Math.min(2 * RELATIVE_ERROR * sum, (numberOfAmounts * UNIT_ERROR) / scale);

/** The decimals in which the program holds the amounts of the order; 0 if they are decimal numbers already. */
export const exponentOf = ({ currency, remarks }: Remarked): number | null =>
  remarks?.includes('more_decimals_than_currency') ? 0 : currencyExponent(currency);

/**
 * An order as read in minor units, with remarks and with decimal numbers for minor units where that is needed.
 * @param json the order as it was written
 */
export const withRemarks = <O extends Amounts>(
  order: O,
  json: { readonly total_amount: number; readonly items: readonly { readonly price: number }[] },
  exponent: number,
): O & { readonly remarks?: readonly Remark[] } => {
  if (order.totalAmount === totalOf(order.items)) return order;
  const isInMinorUnits = !Number.isNaN(order.totalAmount) && !order.items.some(({ price }) => Number.isNaN(price));
  return isInMinorUnits
    ? { ...order, remarks: ['total_differs_from_items'] }
    : withDecimalNumbers(order, json, exponent);
};

const withDecimalNumbers = <O extends Amounts>(
  order: O,
  json: Parameters<typeof withRemarks>[1],
  exponent: number,
): O & { readonly remarks: readonly Remark[] } => {
  const items = order.items.map((item, n) => ({
    ...item,
    price: decimalNumber(item.price, json.items[n]?.price ?? 0, exponent),
  }));
  // The items say in what unit the producer counts. The total can be a float image in that unit.
  const finest = Math.max(exponent, ...items.map(({ price }) => decimalOf(price).decimals));
  const totalAmount = decimalNumber(readAmount(json.total_amount, finest) ?? MORE_DECIMALS, json.total_amount, finest);
  const sum = items.reduce((soFar, { quantity, price }) => soFar + quantity * price, 0);
  const numberOfAmounts = items.reduce((soFar, { quantity }) => soFar + quantity, 1);
  const isSum = Math.abs(sum - totalAmount) <= sumTolerance(sum, numberOfAmounts, 10 ** exponent);
  const remarks: Remark[] = ['more_decimals_than_currency', ...(isSum ? [] : (['total_differs_from_items'] as const))];
  return { ...order, items, totalAmount, remarks };
};

const decimalNumber = (minor: number, written: number, exponent: number): number =>
  Number.isNaN(minor) ? written : fromMinorUnits(minor, exponent);

/** A decimal number is digits / 10^decimals: 1.5e-7 is 15 and 8. */
const decimalOf = (amount: number): { readonly digits: bigint; readonly decimals: number } => {
  const [mantissa = '', power = '0'] = String(amount).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), decimals: fraction.length - Number(power) };
};

/** The shipping cost as a decimal number, in the unit of the currency or in that of the total if it is finer. */
export const shippingOf = (order: Remarked, exponent: number): number => {
  if (!order.remarks?.includes('more_decimals_than_currency')) {
    return fromMinorUnits(shippingCost(order.totalAmount), exponent);
  }
  const total = decimalOf(order.totalAmount);
  const decimals = Math.max(currencyExponent(order.currency) ?? 0, total.decimals);
  const units = total.digits * 10n ** BigInt(decimals - total.decimals);
  return Number(`${(2n * units + 50n) / 100n}e-${decimals}`);
};
