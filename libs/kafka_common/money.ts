/**
 * Money is integer minor units in the program and decimal numbers in JSON. Only orders of other producers whose amounts
 * have more decimals than their currency are held as decimal numbers (`amounts.ts`).
 *
 * The numbers of decimals are those of ISO 4217 (list one, 2024). Precious metals, funds and test codes are left out,
 * because they have no minor unit.
 */
const EXPONENTS: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
      CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
      KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
      NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
      TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
};

const exponents = new Map(
  Object.entries(EXPONENTS).flatMap(([exponent, codes]) => codes.split(/\s+/).map((code) => [code, Number(exponent)])),
);

export const CURRENCIES: readonly string[] = [...exponents.keys()].toSorted();

/** The number of decimals of the currency. Null if the code is not in ISO 4217. */
export const currencyExponent = (currency: string): number | null => exponents.get(currency) ?? null;

/** In minor units. Each decimal number of up to 15 digits is a different double, so JSON keeps every amount exact. */
export const MAX_AMOUNT = 999_999_999_999_999;

/**
 * A decimal amount as minor units. Null if it is negative, too large to be exact, or has more decimals than the currency.
 * Division rounds to the nearest double, so it gives back every amount that has no more decimals than that.
 */
export const toMinorUnits = (amount: number, exponent: number): number | null => {
  // JSON can hold -0. Adding 0 makes it 0.
  const minor = Math.round(amount * 10 ** exponent) + 0;
  return minor >= 0 && minor <= MAX_AMOUNT && minor / 10 ** exponent === amount ? minor : null;
};

export const fromMinorUnits = (minor: number, exponent: number): number => minor / 10 ** exponent;

/** The sum of quantity x price in minor units. Null if it is too large to be exact. */
export const totalOf = (items: readonly { quantity: number; price: number }[]): number | null => {
  const total = items.reduce((sum, { quantity, price }) => sum + quantity * price, 0);
  return total <= MAX_AMOUNT ? total : null;
};

/** Shipping is 2 % of the total, rounded half up to the minor unit. */
export const shippingCost = (totalAmount: number): number => {
  const rest = totalAmount % 50;
  return (totalAmount - rest) / 50 + (rest >= 25 ? 1 : 0);
};
