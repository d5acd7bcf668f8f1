import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { serviceProcessOptions } from '#service_common/process_settings.ts';
import { type WatchedProcess, watchProcess } from '#tests/support/watched_process.ts';

export type ServiceName = 'cart_service' | 'order_service';

/** A service as users run it: in its own process. */
export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** All lines that it has written so far. */
  readonly output: readonly string[];
  /** Sends SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
  /** `kill -9` */
  kill(): Promise<void>;
}

const START_MS = 30_000;

/** The file that starts the service. */
export const mainOf = (name: ServiceName): string =>
  fileURLToPath(new URL(`../../services/${name}/main.ts`, import.meta.url));

/** The address in the log line of a service that is ready; undefined for every other line. */
export const readyUrl = (line: string): string | undefined =>
  /"url":"([^"]+)".*Application startup complete/.exec(line)?.[1];

/**
 * Starts a service, on a free port unless `env` names one, and waits until it is ready.
 * @throws Error with its last output, if it ends before or takes longer than `startMs`
 */
export const startService = async (
  name: ServiceName,
  env: Readonly<Record<string, string>>,
  startMs = START_MS,
): Promise<ServiceProcess> => {
  const { child, output, ended, untilLine } = spawnService(name, env);
  const url = await untilLine(readyUrl, startMs);
  return {
    url,
    pid: child.pid ?? 0,
    output,
    async stop() {
      child.kill('SIGTERM');
      const end = await ended;
      return typeof end === 'number' ? end : null;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
};

/** Runs a service that must not start. @returns its exit code and the line that gives the reason */
export const failToStart = async (
  name: ServiceName,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; reason: string }> => {
  const { child, output } = spawnService(name, env);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, reason: output.find((line) => line.includes('cannot start')) ?? output.join('\n') };
};

const spawnService = (
  name: ServiceName,
  given: Readonly<Record<string, string>>,
): WatchedProcess & { readonly child: ChildProcess } => {
  const settings = { KAFKA_BOOTSTRAP_SERVERS: '', CART_PORT: '0', ORDER_PORT: '0', LOG_LEVEL: 'info', ...given };
  const { execArgv, env } = serviceProcessOptions(settings);
  const child = spawn(process.execPath, [...execArgv, mainOf(name)], { stdio: ['ignore', 'pipe', 'pipe'], env });
  return { child, ...watchProcess(child, name) };
};
