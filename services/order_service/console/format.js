/** Values as text. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 });

/** @param {number | null | undefined} value */
export const count = (value) => (value === null || value === undefined ? '–' : whole.format(value));

/** @param {number | null} value a second */
export const rate = (value) => (value === null ? '–' : value < 100 ? tenths.format(value) : whole.format(value));

/** @param {number | null | undefined} ms */
export const millis = (ms) => {
  if (ms === null || ms === undefined) return '–';
  if (ms < 10) return `${tenths.format(ms)} ms`;
  return ms < 10_000 ? `${whole.format(ms)} ms` : age(ms);
};

/** @param {number} ms */
export const age = (ms) => {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
};

/** @param {number} bytes */
export const size = (bytes) => {
  if (bytes < 1_024) return `${bytes} bytes`;
  return bytes < 1_048_576 ? `${tenths.format(bytes / 1_024)} KB` : `${tenths.format(bytes / 1_048_576)} MB`;
};

/** Decimals of the shortest text of a number. @param {number} amount */
const decimalsOf = (amount) => {
  const [mantissa = '', power = '0'] = String(amount).split('e');
  return Math.max(0, (mantissa.split('.')[1] ?? '').length - Number(power));
};

/** The price of several, without what binary fractions add. @param {number} price @param {number} quantity */
export const timesPrice = (price, quantity) => Number((price * quantity).toFixed(Math.min(decimalsOf(price), 100)));

/**
 * With the decimals of the currency, or all decimals of an amount that has more: another producer wrote it so.
 * @param {number} amount
 * @param {string} currency
 */
export const money = (amount, currency) => {
  try {
    const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
    const most = Math.min(Math.max(digits ?? 0, decimalsOf(amount)), 100);
    return `${amount.toLocaleString('en', { minimumFractionDigits: digits ?? 0, maximumFractionDigits: most })} ${currency}`;
  } catch {
    return `${amount} ${currency}`;
  }
};

/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');

/**
 * Local time, as `2026-01-18 12:00:00`.
 * @param {string | number | null} instant
 */
export const time = (instant) => {
  if (instant === null) return '–';
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return String(instant);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(date)}`;
};

/** @param {Date} date */
export const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
