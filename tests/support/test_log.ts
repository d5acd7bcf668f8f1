import { type Logger, pino } from 'pino';

export interface LoggedLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger for tests, and the lines that it has logged. */
export const createTestLog = (): { logger: Logger; lines: LoggedLine[] } => {
  const lines: LoggedLine[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as LoggedLine);
  };
  return { logger: pino({ formatters: { level: (level) => ({ level }) } }, { write }), lines };
};
