import type { ExitCode } from './failures.ts';
import type { Terminal } from './terminal.ts';

/** The meaning of `--name VALUE`, described once for the parser and for `--help`. */
export interface Option<T> {
  /** Stands for the value in `--help`; null if the option takes no value. */
  readonly placeholder: string | null;
  readonly description: string;
  /** @param text undefined if the option is not given @throws Failure that says what is allowed */
  readonly read: (text: string | undefined) => T;
}

export type Options = Readonly<Record<string, Option<unknown>>>;
type Values<O extends Options> = { readonly [Name in keyof O]: ReturnType<O[Name]['read']> };

/** What a command works with. */
interface Context<V> {
  readonly values: V;
  readonly terminal: Terminal;
  /** Aborts when the command must end: on Ctrl+C or SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Command<O extends Options = Options> {
  readonly name: string;
  /** What it does, in one sentence. */
  readonly summary: string;
  /** One or two more paragraphs for `--help`; their line breaks are kept. */
  readonly details: string;
  readonly options: O;
  /** The meaning of exit code 1 for this command. */
  readonly found: string;
  readonly examples: readonly (readonly [args: string, what: string])[];
  /** @throws Failure if it cannot go on */
  readonly run: (context: Context<Values<O>>) => Promise<ExitCode>;
}

/** Gives `run` the types of the option values. */
export const defineCommand = <const O extends Options>(command: Command<O>): Command =>
  // Safe, because `readArguments` makes the values from these same options.
  command as unknown as Command;
