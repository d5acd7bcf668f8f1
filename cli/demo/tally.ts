import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { visible } from '../visible.ts';

/** What a demo has seen so far. Its memory is bounded, however long the demo runs. */
export interface Tally {
  started: number;
  /** Orders that started late, because too many others were under way. */
  heldBack: number;
  created: number;
  /** Orders by the status that the Order Service shows at the end of their life. */
  readonly byStatus: Map<string, number>;
  /** Requests that were refused as expected, by status and code. */
  readonly refused: Map<string, number>;
  /** Repeated requests, by reason. */
  readonly retried: Map<string, number>;
  unexpected: number;
  /** The first of the unexpected things, one line each. */
  readonly surprises: string[];
  /** In microseconds: from the moment that a create is due until it is answered 200. */
  readonly create: RecordableHistogram;
  /** In microseconds: from the 200 until the Order Service shows the order. */
  readonly readable: RecordableHistogram;
}

const SHOWN_SURPRISES = 10;

export const createTally = (): Tally => ({
  started: 0,
  heldBack: 0,
  created: 0,
  byStatus: new Map(),
  refused: new Map(),
  retried: new Map(),
  unexpected: 0,
  surprises: [],
  create: createHistogram(),
  readable: createHistogram(),
});

export const countIn = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

export const surprise = (tally: Tally, text: string): void => {
  tally.unexpected += 1;
  if (tally.surprises.length < SHOWN_SURPRISES) tally.surprises.push(visible(text));
};

export interface Summary {
  readonly seed: string;
  readonly run: string;
  readonly seconds: number;
  readonly interrupted: boolean;
  readonly started: number;
  readonly created: number;
  readonly heldBack: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly retried: Readonly<Record<string, number>>;
  readonly latencyMs: Readonly<
    Record<'create' | 'readable', { readonly p50: number | null; readonly p99: number | null }>
  >;
  readonly unexpected: number;
  readonly surprises: readonly string[];
}

export const summaryOf = (tally: Tally, about: Pick<Summary, 'seed' | 'run' | 'seconds' | 'interrupted'>): Summary => ({
  ...about,
  started: tally.started,
  created: tally.created,
  heldBack: tally.heldBack,
  byStatus: sorted(tally.byStatus),
  refused: sorted(tally.refused),
  retried: sorted(tally.retried),
  latencyMs: { create: percentiles(tally.create), readable: percentiles(tally.readable) },
  unexpected: tally.unexpected,
  surprises: tally.surprises,
});

const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));

const percentiles = (histogram: RecordableHistogram): { p50: number | null; p99: number | null } =>
  histogram.count === 0
    ? { p50: null, p99: null }
    : { p50: histogram.percentile(50) / 1_000, p99: histogram.percentile(99) / 1_000 };

/** The summary for people. */
export const summaryLines = (summary: Summary): string[] => {
  const { seed, run, seconds, interrupted, started, created, heldBack, byStatus, refused, retried, latencyMs } =
    summary;
  return [
    `${started} orders in ${seconds.toFixed(1)} s${interrupted ? ', interrupted' : ''}, ${created} created (seed ${seed}, run ${run})`,
    ...(heldBack === 0 ? [] : [`${heldBack} of them started late, because too many were under way`]),
    ...block('final status, as the Order Service shows it', byStatus),
    ...block('refused, as expected', refused),
    ...block('sent again', retried),
    'latency                                   p50         p99',
    `  create, from due to its 200  ${milliseconds(latencyMs.create.p50)}${milliseconds(latencyMs.create.p99)}`,
    `  from its 200 to readable     ${milliseconds(latencyMs.readable.p50)}${milliseconds(latencyMs.readable.p99)}`,
    summary.unexpected === 0 ? 'nothing unexpected' : `unexpected: ${summary.unexpected}`,
    ...summary.surprises.map((line) => `  ${line}`),
  ];
};

const block = (title: string, counts: Readonly<Record<string, number>>): string[] => {
  const rows = Object.entries(counts);
  return rows.length === 0
    ? []
    : [title, ...rows.map(([name, count]) => `  ${visible(name).padEnd(40)} ${String(count).padStart(7)}`)];
};

const milliseconds = (value: number | null): string => (value === null ? '-' : `${value.toFixed(1)} ms`).padStart(12);
