/** The input and the results of every suite. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KafkaBroker } from '../tests/kafka/apache_kafka.ts';
import type { LoadGenerator } from './load.ts';
import type { Spread } from './statistics.ts';

export interface Scale {
  /** Rounds of a comparison; each contender has one turn per round. */
  readonly rounds: number;
  /** The length of one turn of load. */
  readonly seconds: number;
  /** The number of orders or events in suites whose cost could grow with it. */
  readonly many: number;
  /** Orders in the stores, for the curves of growth. */
  readonly steps: readonly number[];
  /** Arrivals per second, for the curves of latency. */
  readonly loads: readonly number[];
  /** Events for the consumer that syncs after each event. */
  readonly slowEvents: number;
}

export const FULL: Scale = {
  rounds: 5,
  seconds: 5,
  many: 1_000_000,
  steps: [10_000, 100_000, 1_000_000, 5_000_000],
  loads: [500, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 12_000],
  slowEvents: 5_000,
};
/** Only shows that everything works; its figures mean nothing. */
export const SMOKE: Scale = {
  rounds: 1,
  seconds: 0.5,
  many: 5_000,
  steps: [1_000, 5_000],
  loads: [200, 500],
  slowEvents: 200,
};

export interface Bench {
  readonly scale: Scale;
  readonly load: LoadGenerator;
  readonly kafka: Pick<KafkaBroker, 'bootstrapServers' | 'pid'>;
  /** The interpreter with the packages of the Python peer; null if there is none. */
  readonly python: string | null;
  progress(text: string): void;
}

/** A measured value and its target. */
export interface Figure {
  readonly measure: string;
  readonly unit: '' | 'ms' | 'MB';
  readonly target: { readonly kind: 'at least' | 'at most'; readonly value: number };
  readonly spread: Spread;
}

/** How one value depends on another. It is drawn, and also kept as data. */
export interface Curve {
  /** The name of its files. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly points: readonly { readonly x: number; readonly y: number; readonly series: string }[];
}

interface Axis {
  readonly title: string;
  readonly scale: 'linear' | 'log';
}

export interface SuiteResult {
  readonly figures: readonly Figure[];
  readonly curves?: readonly Curve[];
  /** The values behind the figures. */
  readonly tables: readonly Table[];
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export type Suite = (bench: Bench) => Promise<SuiteResult>;

export const atLeast = (measure: string, value: number, spread: Spread, unit: Figure['unit'] = ''): Figure => ({
  measure,
  unit,
  target: { kind: 'at least', value },
  spread,
});

export const atMost = (measure: string, value: number, spread: Spread, unit: Figure['unit'] = ''): Figure => ({
  measure,
  unit,
  target: { kind: 'at most', value },
  spread,
});

/** Null if the system could not measure the value. */
export const isReached = ({ target: { kind, value }, spread: { median } }: Figure): boolean | null => {
  if (Number.isNaN(median)) return null;
  return kind === 'at least' ? median >= value : median <= value;
};

/** Runs `work` with a new folder, and deletes the folder afterwards. */
export const inTempDir = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
  const directory = mkdtempSync(join(tmpdir(), 'order-events-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
};
