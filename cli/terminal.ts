import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where a command talks to: a person at a terminal, or a pipe or file. Results go to standard output, all else to standard error. */
export interface Terminal {
  /** One line of the result; waits while the reader is slow. */
  readonly print: (line: string) => Promise<void>;
  /** One line beside the result. */
  readonly note: (line: string) => void;
  /** What is under way: in place on a terminal, otherwise a line now and then. */
  readonly progress: (line: string) => void;
  /** Colour, where the result goes to a terminal that has it and NO_COLOR is not set. */
  readonly style: (style: Style, text: string) => string;
  /** May a person be asked? */
  readonly isInteractive: boolean;
  /** Asks for a yes; anything else is a no. */
  readonly confirm: (question: string, signal: AbortSignal) => Promise<boolean>;
  /** Waits until all is written. */
  readonly flush: () => Promise<void>;
}

/** Between lines of progress that stay. */
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
      // Not the editor of lines, which would take Ctrl+C for itself.
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
