import { type ChildProcess, fork } from 'node:child_process';
import { serviceProcessOptions } from '#service_common/process_settings.ts';
import type { ProcessEvidence } from '#tests/checker/evidence.ts';
import { mainOf, readyUrl } from '#tests/e2e/service_process.ts';
import { residentMemory } from '#tests/support/resident_memory.ts';
import { watchProcess } from '#tests/support/watched_process.ts';
import { startWatchdog } from '#tests/kafka/watchdog.ts';
import type { Service } from './fault.ts';

/** A service whose crashes and memory are recorded. */
export interface WatchedService extends Service {
  readonly dataDir: string;
  evidence(): ProcessEvidence;
  /** Ends the service, whatever its state. */
  dispose(): Promise<void>;
}

const START_MS = 30_000;
const STOP_MS = 20_000;
const SAMPLE_MS = 500;
const KEPT_LINES = 10_000;

/** Makes a service that is not started yet. @param env its settings, except for the port */
export const createService = (
  name: Service['name'],
  port: number,
  env: Readonly<Record<string, string>> & { readonly DATA_DIR: string },
): WatchedService => {
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
      if (child !== undefined) throw new Error(`${name} is already running`);
      const started = fork(mainOf(name), {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        ...serviceProcessOptions({ CART_PORT: `${port}`, ORDER_PORT: `${port}`, ...env, ...extra }),
      });
      const { ended, untilLine } = watchProcess(started, name, { output, keptLines: KEPT_LINES });
      child = started;
      expected = false;
      exited = ended.then((end) => {
        child = undefined;
        if (!expected) crashes.push(`ended with ${end}: ${lastWords(output)}`);
        return end;
      });
      await untilLine(readyUrl, START_MS);
    },
    async kill() {
      await signalAndWait('SIGKILL');
    },
    async stop() {
      const end = await signalAndWait('SIGTERM');
      return typeof end === 'number' ? end : null;
    },
    pause() {
      // A stopped process does not notice that its parent has ended.
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
      // If it has already ended, that was counted as a crash.
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
