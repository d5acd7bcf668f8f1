/**
 * @param sorted ascending
 * @returns the least value that at least the part `q` of all values does not exceed; NaN if empty
 */
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

/**
 * The ratios of pairs. Both values of a pair are measured right after each other, so the machine affects both alike.
 */
export const ratiosOf = (values: readonly number[], bases: readonly number[]): Spread =>
  spreadOf(values.flatMap((value, pair) => (bases[pair] === undefined ? [] : [value / bases[pair]])));

/** Two cells of a table: the median and the range. */
export const medianAndRange = (values: readonly number[]): [string, string] => {
  const { median, least, most } = spreadOf(values);
  return [median.toFixed(0), `${least.toFixed(0)} to ${most.toFixed(0)}`];
};
