import type { ExitCode } from './failures.ts';
import type { Terminal } from './terminal.ts';

/** What `--name VALUE` means: described once, for the parser and for `--help`. */
export interface Option<T> {
  /** Stands for the value in `--help`; null where the option takes none. */
  readonly placeholder: string | null;
  readonly description: string;
  /** @param text undefined where the option is not given @throws Failure with what is allowed */
  readonly read: (text: string | undefined) => T;
}

export type Options = Readonly<Record<string, Option<unknown>>>;
type Values<O extends Options> = { readonly [Name in keyof O]: ReturnType<O[Name]['read']> };

/** What a command is given to work with. */
interface Context<V> {
  readonly values: V;
  readonly terminal: Terminal;
  /** Aborts when the command is to end: Ctrl+C, SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Command<O extends Options = Options> {
  readonly name: string;
  /** One sentence: what it does. */
  readonly summary: string;
  /** A paragraph or two more for `--help`; lines are kept as they are. */
  readonly details: string;
  readonly options: O;
  /** What exit code 1 means here. */
  readonly found: string;
  readonly examples: readonly (readonly [args: string, what: string])[];
  /** Rejects with a Failure where it cannot go on. */
  readonly run: (context: Context<Values<O>>) => Promise<ExitCode>;
}

/** Lets `run` know the types of its options' values. */
export const defineCommand = <const O extends Options>(command: Command<O>): Command =>
  // The values are made by the command's own options.
  command as unknown as Command;
