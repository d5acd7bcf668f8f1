import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';

/** One JSON line an event on standard output, or on a terminal one for people to read. */
export const createLogger = async (service: string, level: string, format: string): Promise<Logger> => {
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  return pino(loggerOptions(service, level), isPretty ? await prettyStream() : pino.destination(1));
};

/** Characters that a line has at most: what reads logs cuts or drops longer ones, in places of its own choice. */
export const MAX_LINE = 8_192;

export const loggerOptions = (service: string, level: string): LoggerOptions => ({
  level,
  base: { service },
  timestamp: stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
  hooks: { streamWrite: boundedLine },
});

/** A line that is too long becomes one that says so: with its head, and the text of the rest up to the limit. */
const boundedLine = (line: string): string => {
  if (line.length <= MAX_LINE) return line;
  const { level, time, service, msg } = JSON.parse(line) as Record<string, unknown>;
  // Escaped again, it grows, but to no more than twice its length.
  const start = line.slice(0, MAX_LINE / 4);
  return `${JSON.stringify({ level, time, service, msg: String(msg).slice(0, 500), length: line.length, start })}\n`;
};

/** Only loaded for people: it takes some 10 us a line. */
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
