import { setImmediate as othersTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StoreError } from '#service_common/store_error.ts';

export interface StoreRetry {
  /**
   * Does the work, and again while the store fails. At once, if another process was first.
   * @throws the signal's reason; what `delay` throws; StoreError `STORE_OVERTAKEN`; any error that is not the store's
   */
  readonly untilDone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Why the store failed the last time; null if it did not. */
  readonly failure: () => string | null;
}

export interface StoreRetryOptions {
  readonly logger: Logger;
  /** Milliseconds to wait after the given number of failures in a row. May throw, to give up. */
  readonly delay: (failures: number, error: StoreError) => number;
  readonly signal: AbortSignal;
}

export const createStoreRetry = ({ logger, delay, signal }: StoreRetryOptions): StoreRetry => {
  let failure: string | null = null;
  return {
    untilDone: async (work) => {
      for (let failures = 1; ; failures += 1) {
        signal.throwIfAborted();
        try {
          const result = await work();
          if (failure !== null) logger.info('the store takes transactions again');
          failure = null;
          return result;
        } catch (error) {
          if (!(error instanceof StoreError) || error.code === 'STORE_OVERTAKEN') throw error;
          if (error.code === 'STORE_CHANGED') {
            failures -= 1;
            await othersTurn();
            continue;
          }
          failure = error.message;
          const delayMs = delay(failures, error);
          logger.error({ failures, delayMs, reason: error.message }, 'the store failed, nothing was committed');
          await sleep(delayMs, undefined, { signal });
        }
      }
    },
    failure: () => failure,
  };
};
