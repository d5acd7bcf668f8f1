import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that this one has started. */
export interface WatchedProcess {
  /** The lines that it has written to both streams, the newest last. */
  readonly output: readonly string[];
  /** Resolves with the exit code or the signal when the process has ended and all its output has been read. */
  readonly ended: Promise<number | string | null>;
  /**
   * Resolves with the first value that `find` returns for a line.
   * @throws Error with the last lines, if the process ends before or takes longer than `withinMs`
   */
  untilLine<T>(find: (line: string) => T | undefined, withinMs: number): Promise<T>;
}

/** Lines of output in the message of an error. */
const SHOWN_LINES = 20;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Kills the process when this one exits. */
export const killAtExit = (child: ChildProcess): void => {
  running.add(child);
  child.once('exit', () => running.delete(child));
};

/**
 * Reads the output of a process that was just started, and kills it when this process exits.
 * @param name for messages
 * @param output receives the lines; at most `keptLines` of them are kept
 */
export const watchProcess = (
  child: ChildProcess,
  name: string,
  { output = [], keptLines = Infinity }: { readonly output?: string[]; readonly keptLines?: number } = {},
): WatchedProcess => {
  const listeners = new Set<(line: string) => void>();
  killAtExit(child);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (output.push(line) > keptLines) output.shift();
      for (const listener of listeners) listener(line);
    });
  }
  return {
    output,
    ended: new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal));
    }),
    untilLine: (find, withinMs) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          listeners.delete(listener);
          clearTimeout(timer);
        };
        const fail = (what: string): void => {
          stop();
          reject(new Error(`${name} ${what}:\n${output.slice(-SHOWN_LINES).join('\n')}`));
        };
        const listener = (line: string): void => {
          const found = find(line);
          if (found === undefined) return;
          stop();
          resolve(found);
        };
        const timer = setTimeout(() => fail(`is not ready after ${withinMs} ms`), withinMs);
        listeners.add(listener);
        child.once('error', (error) => fail(`failed: ${String(error)}`));
        child.once('close', (code, signal) => fail(`ended with ${code ?? signal} before it was ready`));
      }),
  };
};
