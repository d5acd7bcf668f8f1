import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/**
 * A command's output: a terminal, a pipe or a file. Results go to standard output, everything else to standard error.
 */
export interface Terminal {
  /** Prints one line of the result; waits while the reader is slow. */
  readonly print: (line: string) => Promise<void>;
  /** Prints one line that does not belong to the result. */
  readonly note: (line: string) => void;
  /** Shows what is under way: in place on a terminal, else one line every few seconds. */
  readonly progress: (line: string) => void;
  /** Adds colour, if the result goes to a terminal that has colours and NO_COLOR is not set. */
  readonly style: (style: Style, text: string) => string;
  /** True if a person can be asked. */
  readonly isInteractive: boolean;
  /** Asks a question: true for `y` or `yes`, else false. */
  readonly confirm: (question: string, signal: AbortSignal) => Promise<boolean>;
  /** Waits until everything is written. */
  readonly flush: () => Promise<void>;
}

/** The time between two lines of progress if the output is not a terminal. */
const PROGRESS_MS = 5_000;

const CLEAR_LINE = '\r\u001B[K';

export const createTerminal = (): Terminal => {
  const { stdin, stdout, stderr } = process;
  let isLineOpen = false;
  let lastProgress = -Infinity;

  const clear = (): void => {
    if (isLineOpen) stderr.write(CLEAR_LINE);
    isLineOpen = false;
  };

  const note = (line: string): void => {
    clear();
    stderr.write(`${line}\n`);
  };

  return {
    print: async (line) => {
      clear();
      if (!stdout.write(`${line}\n`)) await once(stdout, 'drain');
    },
    note,
    progress: (line) => {
      if (stderr.isTTY) {
        stderr.write(`${CLEAR_LINE}${line.slice(0, (stderr.columns || 80) - 1)}`);
        isLineOpen = true;
      } else if (performance.now() - lastProgress >= PROGRESS_MS) {
        lastProgress = performance.now();
        note(line);
      }
    },
    style: (style, text) => styleText(style, text, { stream: stdout }),
    isInteractive: stdin.isTTY && stderr.isTTY,
    confirm: async (question, signal) => {
      clear();
      // `terminal: false`, because readline's line editor would keep Ctrl+C for itself.
      const lines = createInterface({ input: stdin, output: stderr, terminal: false });
      const ended = once(lines, 'close').then(() => '');
      try {
        return /^y(es)?$/i.test((await Promise.race([lines.question(`${question} [y/N] `, { signal }), ended])).trim());
      } finally {
        lines.close();
      }
    },
    flush: async () => {
      clear();
      await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
    },
  };
};
