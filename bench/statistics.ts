/** @param sorted ascending @returns the least value that at least the part `q` of all values does not exceed; NaN of none */
export const quantile = (sorted: ArrayLike<number>, q: number): number =>
  sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export const spreadOf = (values: readonly number[]): Spread => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (quantile(sorted, 0.5) + (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)) / 2;
  return { median: middle, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
};

/** Of pairs that were measured one right after the other: what the machine did meanwhile, it did to both. */
export const ratiosOf = (of: readonly number[], to: readonly number[]): Spread =>
  spreadOf(of.flatMap((value, pair) => (to[pair] === undefined ? [] : [value / to[pair]])));

/** For a table: the median, and the range beside it. */
export const medianAndRange = (values: readonly number[]): [string, string] => {
  const { median, least, most } = spreadOf(values);
  return [median.toFixed(0), `${least.toFixed(0)} to ${most.toFixed(0)}`];
};
