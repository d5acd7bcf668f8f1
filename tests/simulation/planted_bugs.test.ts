import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PLANTED_BUGS } from './planted_bugs.ts';
import { runSeeds } from './run_seeds.ts';
import type { SeedResult } from './simulate_worker.ts';

const MOST_SEEDS = 4_000;

const catches = (results: readonly SeedResult[]): string[] => [
  ...new Set(results.flatMap(({ violations }) => violations.map(({ invariant, name }) => `${invariant} ${name}`))),
];

describe('a planted bug', { concurrency: 2, timeout: 600_000 }, () => {
  for (const { name, caughtBy, from = 1 } of PLANTED_BUGS) {
    const rule = `${caughtBy.invariant} ${caughtBy.name}`;
    test(`${name}, is caught by ${rule}`, async (t) => {
      const isEnough = (results: readonly SeedResult[]): boolean => catches(results).includes(rule);
      const { results } = await runSeeds({ from, count: MOST_SEEDS, bug: name, threads: 1, isEnough });
      const first = results.find((result) => isEnough([result]));
      assert(first, `${results.length} seeds were caught by ${catches(results).join(', ') || 'nothing'}`);
      t.diagnostic(`seed ${first.seed}`);
    });
  }
});
