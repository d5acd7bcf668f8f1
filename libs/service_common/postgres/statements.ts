/** One row, by column. `bigint` columns are numbers: every number of this program is below 2^53. */
export type Row = Readonly<Record<string, unknown>>;

/** Runs one statement. Those that are not awaited one by one are sent at once, one after the other, on one connection. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
