import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A command as a script runs it: a process of its own, its output in pipes. */
export interface CliProcess {
  /** Resolves once it has ended. */
  readonly ended: Promise<CliResult>;
  /** What it has written to standard output so far. */
  readonly output: () => string;
  /** What it has written to standard error so far. */
  readonly notes: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const ROOT = new URL('../../', import.meta.url);

export const startCli = (args: readonly string[], env: Record<string, string> = {}): CliProcess =>
  startScript('cli/main.ts', args, env);

/** @param script its path in the repository */
export const startScript = (script: string, args: readonly string[], env: Record<string, string>): CliProcess => {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, ROOT)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: '', npm_lifecycle_event: undefined, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  running.add(child);
  child.once('exit', () => running.delete(child));
  return {
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr })),
    output: () => stdout,
    notes: () => stderr,
    kill: (signal) => child.kill(signal),
  };
};

export const runCli = (args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> =>
  startCli(args, env).ended;
