import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const LOAD_MUTATED = new URL('load_mutated.ts', import.meta.url);

export interface TestRun {
  readonly testFile: string;
  /** The URL of the mutated module. */
  readonly module: string;
  /** The path of its mutated source. */
  readonly source: string;
  /** The active mutant; null: the code as it is. */
  readonly mutant: string | null;
  readonly timeoutMs: number;
}

/** @returns true if all tests of the file pass in time. The run ends at the first that fails. */
export const testPasses = async ({ testFile, module, source, mutant, timeoutMs }: TestRun): Promise<boolean> => {
  const child = spawn(process.execPath, ['--no-warnings', '--test-reporter=tap', testFile], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...process.env,
      // Set by a test runner above this process. With it, the output would not be TAP.
      NODE_TEST_CONTEXT: undefined,
      NODE_OPTIONS: `--import=${LOAD_MUTATED}`,
      MUTATED_MODULE: module,
      MUTATED_SOURCE: source,
      NODE_COMPILE_CACHE: join(tmpdir(), 'mutants-compile-cache'),
      ...(mutant !== null && { __STRYKER_ACTIVE_MUTANT__: mutant }),
    },
  });
  const exited = once(child, 'exit');
  const stop = (): boolean => child.kill('SIGKILL');
  const timer = setTimeout(stop, timeoutMs);
  createInterface(child.stdout).on('line', (line) => {
    if (/^\s*not ok /.test(line)) stop();
  });
  const [code] = await exited;
  clearTimeout(timer);
  return code === 0;
};
