/** Plays seeds in its own thread: receives ranges of seeds, and reports the results of each range. */
import { parentPort, workerData } from 'node:worker_threads';
import { addCoverage, type Coverage, noCoverage } from './coverage.ts';
import { loadSimulation, planOf } from './seeds.ts';
import type { Result } from './simulation.ts';

export interface SeedRange {
  readonly from: number;
  readonly to: number;
}

export interface SeedResult extends Pick<Result, 'violations' | 'digest'> {
  readonly seed: number;
}

export interface RangeReport {
  readonly results: readonly SeedResult[];
  readonly coverage: Coverage;
}

const { bug } = workerData as { bug: string | null };
const { simulate } = await loadSimulation(bug);

const play = async ({ from, to }: SeedRange): Promise<RangeReport> => {
  const coverage = noCoverage();
  const results: SeedResult[] = [];
  for (let seed = from; seed < to; seed++) {
    const {
      violations,
      digest,
      coverage: more,
    } = await simulate(planOf(seed, bug)).catch((error: unknown) => {
      throw new Error(`seed ${seed} could not be played to its end`, { cause: error });
    });
    addCoverage(coverage, more);
    results.push({ seed, violations, digest });
  }
  return { results, coverage };
};

parentPort?.on('message', (range: SeedRange) => {
  // An error ends the thread, and `runSeeds` rejects with it.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of a window, not of a thread
  void play(range).then((report) => parentPort?.postMessage(report));
});
