import type { Logger } from 'pino';

/** Calls every observer with what happened. One that throws is logged, and changes nothing for the others or the caller. */
export const notifyObservers = <T>(
  observers: readonly ((happened: T) => void)[],
  happened: T,
  logger: Logger,
  failure: string,
): void => {
  for (const observe of observers) {
    try {
      observe(happened);
    } catch (error) {
      logger.error({ err: error }, failure);
    }
  }
};
