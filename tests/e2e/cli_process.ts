import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { killAtExit } from '#tests/support/watched_process.ts';

/** A command as a script runs it: in its own process, with its output in pipes. */
export interface CliProcess {
  /** Resolves when the process has ended. */
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

const ROOT = new URL('../../', import.meta.url);

export const startCli = (args: readonly string[], env: Record<string, string> = {}): CliProcess =>
  startScript('cli/main.ts', args, env);

/** Starts a script of the repository. @param script its path from the repository's root */
export const startScript = (script: string, args: readonly string[], env: Record<string, string>): CliProcess => {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, ROOT)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: '', npm_lifecycle_event: undefined, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  killAtExit(child);
  return {
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr })),
    output: () => stdout,
    notes: () => stderr,
    kill: (signal) => child.kill(signal),
  };
};

export const runCli = (args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> =>
  startCli(args, env).ended;
