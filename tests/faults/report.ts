import type { Violation } from '#tests/checker/evidence.ts';
import { markdownTable } from '#tests/support/markdown_table.ts';
import type { RowResult } from './campaign.ts';

/** The columns of the table at the end. */
const COLUMNS = [
  'row',
  'rounds',
  'requests',
  '200',
  'not created',
  'not updated',
  'unknown',
  'no answer',
  'worst answer ms',
  'p99 ms',
  'first 200 ms',
  'agreed ms',
  'duplicates',
  'cart MB',
  'order MB',
  'violations',
] as const;

/** The most stories that are printed of each kind of violation. */
const STORIES = 3;

export type TableRow = readonly string[];

export const HEADER: TableRow = COLUMNS;

export const tableRow = (name: string, result: RowResult): TableRow => {
  const { exchanges, heals, peaks, violations, failure } = result;
  const answered = exchanges.filter(({ answer }) => answer !== null);
  const times = Float64Array.from(answered, ({ askedAt, endedAt }) => endedAt - askedAt).toSorted();
  const count = (outcome: string): number => answered.filter(({ answer }) => answer?.outcome === outcome).length;
  const megabytes = (service: string): string => ((peaks[service] ?? 0) / 1_000_000).toFixed(0);
  return [
    name,
    String(result.rounds),
    String(exchanges.length),
    String(answered.filter(({ answer }) => answer?.status === 200).length),
    String(count('not_created')),
    String(count('not_updated')),
    String(count('unknown')),
    String(exchanges.length - answered.length),
    (times.at(-1) ?? 0).toFixed(0),
    (times[Math.floor(times.length * 0.99)] ?? 0).toFixed(0),
    worst(heals.map(({ at, first200At }) => (first200At === null ? null : first200At - at))),
    worst(heals.map(({ at, agreedAt }) => (agreedAt === null ? null : agreedAt - at))),
    String(result.duplicates),
    megabytes('cart_service'),
    megabytes('order_service'),
    `${violations.length}${failure === null ? '' : ' FAILED'}`,
  ];
};

const worst = (times: readonly (number | null)[]): string =>
  times.includes(null) ? 'never' : Math.max(0, ...times.map((time) => time ?? 0)).toFixed(0);

export const tableText = (rows: readonly TableRow[]): string => markdownTable(HEADER, rows);

/** What the report of a row has beside its numbers: notes, why it failed, the first violations of each kind. */
export const storiesOf = ({ notes, violations, failure, skippedRequests }: RowResult): string[] => {
  const kinds = Map.groupBy(violations, ({ invariant, name }) => `${invariant}: ${name}`);
  return [
    ...new Set(notes),
    ...(skippedRequests > 0 ? [`${skippedRequests} requests were not sent, because too many were open`] : []),
    ...(failure === null ? [] : [`FAILED: ${failure}`]),
    ...Array.from(kinds.values(), storiesOfKind),
  ];
};

const storiesOfKind = (violations: readonly Violation[]): string => {
  const shown = violations.slice(0, STORIES).map(({ story }) => story);
  const more = violations.length - shown.length;
  return [...shown, ...(more > 0 ? [`... and ${more} more of this kind`] : [])].join('\n');
};
