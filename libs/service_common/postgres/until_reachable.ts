import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StoreError } from '#service_common/store_error.ts';

const RETRY_MS = 2_000;

/**
 * Opens a database at the start of a service. Logs each time that it cannot be reached, and tries again, for ever.
 * @throws StoreError `STORE_REFUSED`, which trying again does not change
 */
export const untilReachable = async <T>(
  open: () => Promise<T>,
  logger: Pick<Logger, 'error'>,
  retryMs = RETRY_MS,
): Promise<T> => {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof StoreError) || error.code === 'STORE_REFUSED') throw error;
      logger.error({ reason: error.message, delayMs: retryMs }, 'the database cannot be used yet, trying again');
      await sleep(retryMs);
    }
  }
};
