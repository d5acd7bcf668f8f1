import { rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeMutants, type Mutant } from './make_mutants.ts';
import { testPasses } from './run_test.ts';

export interface FileResult {
  readonly file: string;
  /** How many mutants were judged: all, unless the time was up. */
  readonly judged: number;
  readonly count: number;
  readonly survivors: readonly Mutant[];
}

/** The longest time for the tests of a file without a mutant. */
const WITHOUT_MUTANT_MS = 120_000;

/**
 * Judges the mutants of a file by its tests, in order, on all cores.
 * @param deadline no mutant is begun after it, on the clock of `performance.now()`
 * @throws Error if a test fails without a mutant
 */
export const judgeFile = async (file: string, testFiles: readonly string[], deadline: number): Promise<FileResult> => {
  const { source, mutants } = await makeMutants(file);
  const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
  try {
    const mutated = { module: pathToFileURL(resolve(file)).href, source: join(folder, 'mutated.ts') };
    writeFileSync(mutated.source, source);
    const judges: { readonly testFile: string; readonly timeoutMs: number }[] = [];
    for (const testFile of testFiles) {
      const started = performance.now();
      if (!(await testPasses({ testFile, ...mutated, mutant: null, timeoutMs: WITHOUT_MUTANT_MS }))) {
        throw new Error(`${testFile} fails without a mutant, or takes more than ${WITHOUT_MUTANT_MS / 1_000} s`);
      }
      // A mutant that never ends counts as noticed, and so does one on a machine that is suddenly much slower.
      judges.push({ testFile, timeoutMs: 10_000 + 5 * (performance.now() - started) });
    }
    const isNoticed = async (mutant: Mutant): Promise<boolean> => {
      for (const judge of judges) {
        if (!(await testPasses({ ...judge, ...mutated, mutant: mutant.id }))) return true;
      }
      return false;
    };
    const survivors: Mutant[] = [];
    const left = mutants.values();
    let judged = 0;
    const work = async (): Promise<void> => {
      for (const mutant of left) {
        if (performance.now() > deadline) return;
        if (!(await isNoticed(mutant))) survivors.push(mutant);
        judged += 1;
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    return { file, judged, count: mutants.length, survivors };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
