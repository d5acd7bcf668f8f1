/** The exit codes of every command, as its `--help` lists them. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command before its work is done. The message is one line for people: what is wrong and what to do. */
export class Failure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.exitCode = exitCode;
  }
}

export const failed = (message: string, cause?: unknown): Failure => new Failure(EXIT.failed, message, cause);
export const wrongUsage = (message: string): Failure => new Failure(EXIT.usage, message);
export const unreachable = (message: string, cause?: unknown): Failure => new Failure(EXIT.unreachable, message, cause);
