import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { addCoverage, type Coverage, noCoverage } from './coverage.ts';
import type { RangeReport, SeedRange, SeedResult } from './simulate_worker.ts';

export interface SeedsToRun {
  readonly from: number;
  readonly count: number;
  /** The planted bug; null: the product as it is. */
  readonly bug: string | null;
  readonly threads: number;
  /** Asked after every few seeds: true ends the run. */
  readonly isEnough?: (results: readonly SeedResult[]) => boolean;
  readonly onProgress?: (done: number) => void;
}

export interface SeedsReport {
  /** The results of the seeds that were run, sorted by seed. */
  readonly results: readonly SeedResult[];
  readonly coverage: Coverage;
}

/** Seeds that a thread gets at a time. */
const RANGE = 20;

/** Plays many seeds on several threads. @throws the error of a seed that could not be played */
export const runSeeds = async (seeds: SeedsToRun): Promise<SeedsReport> => {
  const results: SeedResult[] = [];
  const coverage = noCoverage();
  const end = seeds.from + seeds.count;
  let next = seeds.from;

  const nextRange = (): SeedRange | null => {
    if (next >= end || seeds.isEnough?.(results)) return null;
    const from = next;
    next = Math.min(end, from + RANGE);
    return { from, to: next };
  };

  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('simulate_worker.ts', import.meta.url), { workerData: { bug: seeds.bug } });
    try {
      for (let range = nextRange(); range !== null; range = nextRange()) {
        const reported = once(worker, 'message');
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of a window, not of a thread
        worker.postMessage(range);
        const [report] = (await reported) as [RangeReport];
        results.push(...report.results);
        addCoverage(coverage, report.coverage);
        seeds.onProgress?.(results.length);
      }
    } finally {
      await worker.terminate();
    }
  };

  await Promise.all(Array.from({ length: seeds.threads }, work));
  return { results: results.toSorted((a, b) => a.seed - b.seed), coverage };
};
