/** What every suite gets, and what it gives back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KafkaBroker } from '../tests/kafka/apache_kafka.ts';
import type { LoadGenerator } from './load.ts';
import type { Spread } from './statistics.ts';

export interface Scale {
  /** Pairs of a comparison. */
  readonly rounds: number;
  /** Of one turn of load. */
  readonly seconds: number;
  /** "Many" orders or events, where cost could grow with them. */
  readonly many: number;
  /** Orders in the stores, for curves of how cost grows with them. */
  readonly steps: readonly number[];
  /** Arrivals a second, for curves of how latency grows with them. */
  readonly loads: readonly number[];
  /** Events for a consumer that syncs each. */
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
/** Shows that everything works, and nothing else. */
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
  /** The interpreter with the packages of the Python peers; null where there is none. */
  readonly python: string | null;
  progress(text: string): void;
}

/** A measured value beside what was aimed at. */
export interface Figure {
  readonly measure: string;
  readonly unit: '' | 'ms' | 'MB';
  readonly target: { readonly kind: 'at least' | 'at most'; readonly value: number };
  readonly spread: Spread;
}

/** How one thing depends on another: drawn, and kept as data. */
export interface Curve {
  /** Of its file. */
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
  /** What the figures were made of: a heading, column names, and rows. */
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

/** Null where the system did not tell the value. */
export const isReached = ({ target: { kind, value }, spread: { median } }: Figure): boolean | null => {
  if (Number.isNaN(median)) return null;
  return kind === 'at least' ? median >= value : median <= value;
};

/** Runs `work` with a folder of its own, which goes with it. */
export const inTempDir = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
  const directory = mkdtempSync(join(tmpdir(), 'order-events-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
};
