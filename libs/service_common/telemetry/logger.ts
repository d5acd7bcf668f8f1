import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';

/** Writes one line for each event to standard output: JSON, or a line for people on a terminal. */
export const createLogger = async (service: string, level: string, format: string): Promise<Logger> => {
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  return pino(loggerOptions(service, level), isPretty ? await prettyStream() : pino.destination(1));
};

/** The most characters of a line. Programs that collect logs cut longer lines at a place of their own, or drop them. */
export const MAX_LINE = 8_192;

export const loggerOptions = (service: string, level: string): LoggerOptions => ({
  level,
  base: { service },
  timestamp: stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
  hooks: { streamWrite: boundedLine },
});

/** Replaces a line that is too long by one with its length and its start. */
const boundedLine = (line: string): string => {
  if (line.length <= MAX_LINE) return line;
  const { level, time, service, msg } = JSON.parse(line) as Record<string, unknown>;
  // Escaping it again makes it at most twice as long.
  const start = line.slice(0, MAX_LINE / 4);
  return `${JSON.stringify({ level, time, service, msg: String(msg).slice(0, 500), length: line.length, start })}\n`;
};

/** Loaded only for people, because it takes about 10 us for each line. */
const prettyStream = async (): Promise<DestinationStream> => {
  const { default: pretty } = await import('pino-pretty');
  return pretty({
    sync: true,
    colorize: process.stdout.isTTY,
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{service}: {msg}',
    ignore: 'service',
    singleLine: true,
  });
};
