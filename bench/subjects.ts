/** The processes that are measured: the services of the product, and the peers beside them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS, PROCESS_ENV } from '../libs/service_common/process_settings.ts';

export interface Subject {
  readonly url: string;
  readonly pid: number;
  /** From its start until it listened, in ms. */
  readonly startedInMs: number;
  /** Ends it by itself. */
  stop(): Promise<void>;
  /** `kill -9` */
  kill(): Promise<void>;
}

const START_MS = 60_000;
const KEPT_LINES = 20;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program, and waits until it prints the line that has its address. */
const start = async (
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  urlIn: RegExp,
): Promise<Subject> => {
  const started = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...PROCESS_ENV, ...process.env, NODE_ENV: 'production', ...env },
  });
  running.add(child);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      running.delete(child);
      resolve();
    });
  });
  const last: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (what: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`${args.join(' ')} ${what}:\n${last.join('\n')}`));
    };
    const timer = setTimeout(() => fail(`does not listen after ${START_MS} ms`), START_MS);
    child.once('error', (error) => fail(String(error)));
    child.once('exit', (code) => fail(`ended with ${code}`));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (last.push(line) > KEPT_LINES) last.shift();
        const found = urlIn.exec(line)?.[1];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      });
    }
  });
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    url,
    pid: child.pid ?? 0,
    startedInMs: performance.now() - started,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
};

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** As `npm start` runs it, on a free port unless `env` names one. */
export const startService = (
  name: 'cart_service' | 'order_service',
  env: Readonly<Record<string, string>>,
): Promise<Subject> =>
  start(
    process.execPath,
    [...NODE_FLAGS, here(`../services/${name}/main.ts`)],
    {
      KAFKA_BOOTSTRAP_SERVERS: '',
      CART_PORT: '0',
      ORDER_PORT: '0',
      LOG_LEVEL: 'info',
      ...env,
    },
    /"url":"([^"]+)".*Application startup complete/,
  );

/** A peer prints `listening on URL`. */
export const startPeer = (file: string, env: Readonly<Record<string, string>> = {}): Promise<Subject> =>
  start(process.execPath, [...NODE_FLAGS, here(`peers/${file}`)], env, /listening on (\S+)/);

/** @param python the interpreter that has the peer's packages */
export const startPythonPeer = (
  python: string,
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<Subject> => start(python, [here(`peers/${file}`)], env, /listening on (\S+)/);

/** CPU time of a process so far, in seconds; NaN where the system does not tell. */
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
