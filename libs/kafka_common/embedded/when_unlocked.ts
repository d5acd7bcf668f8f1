import { setTimeout as sleep } from 'node:timers/promises';
import { isLocked } from '#service_common/sqlite/sqlite_errors.ts';
import { StoreError } from '#service_common/store_error.ts';

const RETRY_MS = 100;
/** Between two calls of `onLocked`. */
const SAY_MS = 5_000;

/**
 * Opens files that another process can hold locked: perhaps it stands still in the middle of a write. Tries until they
 * are free, without end.
 * @param open waits itself only for a moment, because the event loop stands still meanwhile
 * @param onLocked called with the reason at once, and again every five seconds
 * @throws what `open` throws for any other reason
 */
export const whenUnlocked = async <T>(open: () => T, onLocked: (reason: string) => void): Promise<T> => {
  for (let saidAt = -Infinity; ;) {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof StoreError) || !isLocked(error.cause)) throw error;
      if (performance.now() - saidAt >= SAY_MS) {
        saidAt = performance.now();
        onLocked(error.message);
      }
    }
    await sleep(RETRY_MS);
  }
};
