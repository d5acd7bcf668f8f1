/** `npm run simulate`: runs the simulation, for people and for CI. */
import { availableParallelism } from 'node:os';
import fc from 'fast-check';
import type { Violation } from '#tests/checker/evidence.ts';
import { readOptions } from '#tests/support/command_options.ts';
import type { Coverage } from './coverage.ts';
import { type Plan, plans } from './plan.ts';
import { PLANTED_BUGS } from './planted_bugs.ts';
import { runSeeds } from './run_seeds.ts';
import { loadSimulation, planOf } from './seeds.ts';

const USAGE = `npm run simulate -- [options]

  --seeds N     play this many seeds, on all cores (default: 1000)
  --from N      the first of them (default: 1)
  --seed N      play one seed, and shrink its plan if it fails
  --bug NAME    put a planted bug into the product first

The planted bugs: ${PLANTED_BUGS.map(({ name }) => name).join(', ')}`;

/** The most failing seeds that are printed. */
const SHOWN = 10;
/** The longest time for shrinking; then the smallest plan so far is printed. */
const SHRINK_MS = 45_000;

const number = (text: string, name: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    console.error(`--${name} is ${JSON.stringify(text)}, but must be a whole number`);
    process.exit(2);
  }
  return value;
};

const showPlan = ({ operations, faults, ...rest }: Plan): string =>
  [
    `plan ${JSON.stringify(rest)}`,
    ...operations.toSorted((a, b) => a.at - b.at).map((operation) => `  client ${JSON.stringify(operation)}`),
    ...faults.toSorted((a, b) => a.at - b.at).map((fault) => `  fault  ${JSON.stringify(fault)}`),
  ].join('\n');

const showCoverage = (coverage: Coverage): string =>
  Object.entries(coverage)
    .map(([name, count]) => `${Math.round(count).toLocaleString('en')} ${name}`)
    .join(', ');

const title = ({ invariant, name }: Violation): string => `${invariant}: ${name}`;

const replay = async (seed: number, bug: string | null): Promise<boolean> => {
  const { simulate } = await loadSimulation(bug);
  const { violations, coverage } = await simulate(planOf(seed, bug));
  const [first] = violations;
  if (first === undefined) {
    console.log(`seed ${seed}: no violation; ${showCoverage(coverage)}`);
    return true;
  }
  console.log(`seed ${seed}: ${title(first)}; shrinking …`);
  const deadline = performance.now() + SHRINK_MS;
  const isAnother = fc.asyncProperty(plans, async (plan) => {
    if (performance.now() > deadline) return true;
    return (await simulate(plan)).violations.every((violation) => title(violation) !== title(first));
  });
  const { counterexample, numShrinks } = await fc.check(isAnother, { seed, numRuns: 1 });
  const [plan] = counterexample ?? [planOf(seed, bug)];
  console.log(`shrunk ${numShrinks} times to\n${showPlan(plan)}\n`);
  for (const { story } of (await simulate(plan)).violations) console.log(`${story}\n`);
  return false;
};

const showProgress = (done: number, count: number): void => {
  const percent = Math.floor((100 * done) / count);
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count} seeds (${percent} %)`);
};

const runMany = async (from: number, count: number, bug: string | null): Promise<boolean> => {
  const started = performance.now();
  const onProgress = (done: number): void => showProgress(done, count);
  const { results, coverage } = await runSeeds({ from, count, bug, threads: availableParallelism(), onProgress });
  if (process.stderr.isTTY) process.stderr.write('\n');
  const failed = results.filter(({ violations }) => violations.length > 0);
  for (const { seed, violations } of failed.slice(0, SHOWN)) {
    console.log(`seed ${seed}: ${[...new Set(violations.map(title))].join('; ')}`);
  }
  if (failed.length > SHOWN) console.log(`and ${failed.length - SHOWN} more seeds`);
  if (failed[0]) {
    const planted = bug === null ? '' : ` --bug "${bug}"`;
    console.log(`to play one again: npm run simulate -- --seed ${failed[0].seed}${planted}`);
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(0);
  console.log(`${results.length} seeds in ${seconds} s, ${failed.length} with violations; ${showCoverage(coverage)}`);
  return failed.length === 0;
};

const {
  seed,
  seeds,
  from,
  bug = null,
} = readOptions(USAGE, {
  seed: { type: 'string' },
  seeds: { type: 'string', default: '1000' },
  from: { type: 'string', default: '1' },
  bug: { type: 'string' },
});
if (bug !== null && PLANTED_BUGS.every(({ name }) => name !== bug)) {
  console.error(`--bug is ${JSON.stringify(bug)}, but no planted bug has this name\n\n${USAGE}`);
  process.exit(2);
}
const isClean =
  seed === undefined
    ? await runMany(number(from, 'from'), number(seeds, 'seeds'), bug)
    : await replay(number(seed, 'seed'), bug);
process.exitCode = isClean ? 0 : 1;
