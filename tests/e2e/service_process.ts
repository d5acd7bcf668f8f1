import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { NODE_FLAGS, PROCESS_ENV } from '#service_common/process_settings.ts';

export type ServiceName = 'cart_service' | 'order_service';

/** A service as users run it: a process of its own. */
export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** All lines it has written so far. */
  readonly output: readonly string[];
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** `kill -9` */
  kill(): Promise<void>;
}

const START_MS = 30_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a service on a free port, unless `env` names one, and waits until it says that it is ready. @throws with its output where it ends before */
export const startService = async (name: ServiceName, env: Record<string, string>): Promise<ServiceProcess> => {
  const { child, output } = spawnService(name, env);
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${name} is not ready after ${START_MS} ms:\n${output.join('\n')}`)),
      START_MS,
    );
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}:\n${output.join('\n')}`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (!line.includes('Application startup complete')) return;
      clearTimeout(timer);
      resolve((JSON.parse(line) as { url: string }).url);
    });
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
  return {
    url,
    pid: child.pid ?? 0,
    output,
    async stop() {
      child.kill('SIGTERM');
      return await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

/** Runs a service that is expected not to start. @returns its exit code and the line that says why */
export const failToStart = async (
  name: ServiceName,
  env: Record<string, string>,
): Promise<{ code: number | null; reason: string }> => {
  const { child, output } = spawnService(name, env);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, reason: output.find((line) => line.includes('cannot start')) ?? output.join('\n') };
};

const spawnService = (name: ServiceName, env: Record<string, string>): { child: ChildProcess; output: string[] } => {
  const main = fileURLToPath(new URL(`../../services/${name}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [...NODE_FLAGS, main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...PROCESS_ENV,
      ...process.env,
      KAFKA_BOOTSTRAP_SERVERS: '',
      CART_PORT: '0',
      ORDER_PORT: '0',
      LOG_LEVEL: 'info',
      ...env,
    },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => output.push(line));
  }
  return { child, output };
};
