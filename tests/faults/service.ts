import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS, PROCESS_ENV } from '#service_common/process_settings.ts';
import type { ProcessEvidence } from '#tests/checker/evidence.ts';
import { residentMemory } from '#tests/support/resident_memory.ts';
import { startWatchdog } from '#tests/kafka/watchdog.ts';
import type { Service } from './fault.ts';

/** A service under the lab's eyes. */
export interface WatchedService extends Service {
  readonly dataDir: string;
  evidence(): ProcessEvidence;
  /** Ends it, in whatever state it is. */
  dispose(): Promise<void>;
}

const START_MS = 30_000;
const STOP_MS = 20_000;
const SAMPLE_MS = 500;
const KEPT_LINES = 10_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Not started yet. `env` are its settings, with a port of its own and `DATA_DIR`. */
export const createService = (
  name: Service['name'],
  port: number,
  env: Readonly<Record<string, string>> & { readonly DATA_DIR: string },
): WatchedService => {
  const main = fileURLToPath(new URL(`../../services/${name}/main.ts`, import.meta.url));
  const output: string[] = [];
  const crashes: string[] = [];
  let peakResidentBytes = 0;
  let child: ChildProcess | undefined;
  let exited: Promise<number | string | null> = Promise.resolve(null);
  let expected = false;
  let watchdog: ReturnType<typeof startWatchdog> | undefined;

  const sample = setInterval(() => {
    peakResidentBytes = Math.max(peakResidentBytes, residentMemory(child?.pid).peak || 0);
  }, SAMPLE_MS);
  sample.unref();

  const spawnIt = (extra: Readonly<Record<string, string>>): ChildProcess => {
    const started = fork(main, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [...NODE_FLAGS],
      env: {
        ...PROCESS_ENV,
        ...process.env,
        CART_PORT: `${port}`,
        ORDER_PORT: `${port}`,
        ...env,
        ...extra,
      },
    });
    running.add(started);
    for (const stream of [started.stdout, started.stderr]) {
      createInterface({ input: stream! }).on('line', (line) => {
        if (output.push(line) > KEPT_LINES) output.shift();
      });
    }
    return started;
  };

  const whenReady = (started: ChildProcess): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (what: string): void => reject(new Error(`${name} ${what}:\n${output.slice(-20).join('\n')}`));
      const timer = setTimeout(() => fail(`is not ready after ${START_MS} ms`), START_MS);
      started.once('exit', (code, signal) => {
        clearTimeout(timer);
        fail(`ended with ${code ?? signal} before it was ready`);
      });
      started.once('message', () => {
        clearTimeout(timer);
        resolve();
      });
    });

  const signalAndWait = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string | null> => {
    if (child !== undefined) expected = true;
    child?.kill(signal);
    const limit = setTimeout(() => child?.kill('SIGKILL'), STOP_MS);
    const end = await exited;
    clearTimeout(limit);
    return end;
  };

  const service: WatchedService = {
    name,
    url: `http://localhost:${port}`,
    dataDir: env.DATA_DIR,
    output,
    get pid() {
      return child?.pid;
    },
    async start(extra = {}) {
      if (child !== undefined) throw new Error(`${name} runs already`);
      const started = spawnIt(extra);
      child = started;
      expected = false;
      exited = new Promise((resolve) => {
        // Once its last words have been read, too.
        started.once('close', (code, signal) => {
          running.delete(started);
          child = undefined;
          if (!expected) crashes.push(`ended with ${code ?? signal}: ${lastWords(output)}`);
          resolve(code ?? signal);
        });
      });
      await whenReady(started);
    },
    async kill() {
      await signalAndWait('SIGKILL');
    },
    async stop() {
      const end = await signalAndWait('SIGTERM');
      return typeof end === 'number' ? end : null;
    },
    pause() {
      // A stopped process does not notice that its parent is gone.
      watchdog = startWatchdog({});
      watchdog.watch(child?.pid ?? 0);
      child?.kill('SIGSTOP');
    },
    resume() {
      child?.kill('SIGCONT');
      watchdog?.end();
      watchdog = undefined;
    },
    async ended() {
      // It may have ended before anybody asked.
      if (child === undefined && !expected) crashes.pop();
      expected = true;
      return await exited;
    },
    evidence: () => ({ name, crashes: [...crashes], peakResidentBytes }),
    async dispose() {
      clearInterval(sample);
      service.resume();
      await service.kill();
    },
  };
  return service;
};

const lastWords = (output: readonly string[]): string => output.slice(-5).join(' | ').slice(0, 1_000);
