import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { COVERED } from './coverage.ts';
import { runSeeds, type SeedsReport } from './run_seeds.ts';
import { planOf } from './seeds.ts';
import type { SeedResult } from './simulate_worker.ts';

const SEEDS = 300;

const run = (count: number): Promise<SeedsReport> => runSeeds({ from: 1, count, bug: null, threads: 2 });

describe('the simulation', { timeout: 120_000 }, () => {
  test(`shows no violation and every kind of fault in ${SEEDS} seeds`, async () => {
    const { results, coverage } = await run(SEEDS);
    assert.deepEqual(
      results.flatMap(({ seed, violations }) => violations.map(({ story }) => `seed ${seed}: ${story}`)),
      [],
    );
    assert.deepEqual(
      COVERED.filter((name) => coverage[name] === 0),
      [],
    );
  });

  test('gives the same result for a seed every time', async () => {
    const [first, second] = [await run(20), await run(20)];
    assert.deepEqual(first.results, second.results);
  });

  test('replays a seed that fails, shrinks it and prints its story', async () => {
    const bug = 'dedupe off';
    const isEnough = (results: readonly SeedResult[]): boolean => results.some(isFailed);
    const { results } = await runSeeds({ from: 1, count: 1_000, bug, threads: 1, isEnough });
    const failed = results.find(isFailed);
    assert(failed);
    const command = [join(import.meta.dirname, 'simulate.ts'), '--seed', String(failed.seed), '--bug', bug];
    const { stdout, status } = spawnSync(process.execPath, command, { encoding: 'utf8', timeout: 60_000 });
    assert.match(stdout, new RegExp(`^seed ${failed.seed}: ${failed.violations[0]?.invariant}: `));
    assert.match(stdout, /^shrunk \d+ times to$/m);
    const { operations, faults } = planOf(failed.seed);
    const left = stdout.match(/^ {2}(client|fault) /gm)?.length ?? 0;
    assert(left < operations.length + faults.length, stdout);
    assert.match(stdout, /^order .*\n {2}asked /m);
    assert.equal(status, 1);
  });
});

const isFailed = ({ violations }: SeedResult): boolean => violations.length > 0;
