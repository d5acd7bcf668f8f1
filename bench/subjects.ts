/** The measured processes: the services of the product, and the peers that they are compared with. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serviceProcessOptions } from '../libs/service_common/process_settings.ts';
import { type ServiceName, startService as startServiceProcess } from '../tests/e2e/service_process.ts';
import { watchProcess } from '../tests/support/watched_process.ts';

export interface Subject {
  readonly url: string;
  readonly pid: number;
  /** SIGTERM */
  stop(): Promise<unknown>;
  /** `kill -9` */
  kill(): Promise<unknown>;
}

const START_MS = 60_000;
const KEPT_LINES = 20;
const PRODUCTION = { NODE_ENV: 'production' };

/** Starts a service as `npm start` does, on a free port unless `env` names one, and waits until it is ready. */
export const startService = (name: ServiceName, env: Readonly<Record<string, string>>): Promise<Subject> =>
  startServiceProcess(name, { ...PRODUCTION, ...env }, START_MS);

/** Starts a peer, with Node's flags of a service, and waits until it prints `listening on URL`. */
export const startPeer = (file: string, given: Readonly<Record<string, string>> = {}): Promise<Subject> => {
  const { execArgv, env } = serviceProcessOptions({ ...PRODUCTION, ...given });
  return start(process.execPath, [...execArgv, here(`peers/${file}`)], env);
};

/** @param python the interpreter that has the peer's packages */
export const startPythonPeer = (
  python: string,
  file: string,
  given: Readonly<Record<string, string>>,
): Promise<Subject> => start(python, [here(`peers/${file}`)], serviceProcessOptions({ ...PRODUCTION, ...given }).env);

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const start = async (command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Subject> => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const { ended, untilLine } = watchProcess(child, args.join(' '), { keptLines: KEPT_LINES });
  const end = (signal: 'SIGTERM' | 'SIGKILL'): Promise<unknown> => {
    child.kill(signal);
    return ended;
  };
  const url = await untilLine((line) => /listening on (\S+)/.exec(line)?.[1], START_MS);
  return { url, pid: child.pid ?? 0, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
};

/** CPU time of a process so far, in seconds; NaN on systems without /proc. */
export const cpuSecondsOf = (pid: number | undefined): number => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    // Fields 14 and 15, in ticks of 10 ms (proc(5)).
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
};
