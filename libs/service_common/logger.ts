import { type Logger, pino, stdTimeFunctions } from 'pino';

/** One JSON line an event on standard output. */
export const createLogger = (service: string, level: string): Logger =>
  pino({
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
