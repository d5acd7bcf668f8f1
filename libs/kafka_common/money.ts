/**
 * Money as integer minor units inside, decimal numbers at the edges.
 *
 * Exponents are those of ISO 4217 (list one, 2024): two decimals unless named here. Precious metals, funds and
 * testing codes are left out, having no minor unit.
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

/** How many decimals the currency has, or null where the code is not one of ISO 4217. */
export const currencyExponent = (currency: string): number | null => exponents.get(currency) ?? null;

/** In minor units. Decimal numbers of up to 15 digits are all different doubles, so no amount changes in JSON. */
export const MAX_AMOUNT = 999_999_999_999_999;

/**
 * A decimal amount as minor units, or null where it is negative, too large to be exact, or has more decimals than the
 * currency. Division rounds to the nearest double, so an amount with no more decimals than allowed comes back the same.
 */
export const toMinorUnits = (amount: number, exponent: number): number | null => {
  // JSON has a -0; adding 0 makes it 0.
  const minor = Math.round(amount * 10 ** exponent) + 0;
  return minor >= 0 && minor <= MAX_AMOUNT && minor / 10 ** exponent === amount ? minor : null;
};

export const fromMinorUnits = (minor: number, exponent: number): number => minor / 10 ** exponent;

/** The sum of quantity x price in minor units, or null where it is too large to be exact. */
export const totalOf = (items: readonly { quantity: number; price: number }[]): number | null => {
  const total = items.reduce((sum, { quantity, price }) => sum + quantity * price, 0);
  return total <= MAX_AMOUNT ? total : null;
};

/** Shipping is 2 % of the total, rounded half up to the minor unit. */
export const shippingCost = (totalAmount: number): number => {
  const rest = totalAmount % 50;
  return (totalAmount - rest) / 50 + (rest >= 25 ? 1 : 0);
};
