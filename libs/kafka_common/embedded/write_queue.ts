import { setTimeout as sleep } from 'node:timers/promises';
import { isLocked } from '#service_common/sqlite/sqlite_errors.ts';
import { BrokerError } from '#kafka_common/broker.ts';

/** Between two attempts other work of this process has its turn. */
const RETRY_MS = 5;

/**
 * This process's writes to the log, one at a time and in the order of the calls.
 *
 * SQLite's lock is not fair: one other process that writes without a pause can keep it from this one for longer than a
 * statement may wait. So a write is tried again until its own time is over.
 */
export interface WriteQueue {
  /** @throws what the last attempt threw */
  write<T>(timeoutMs: number, work: () => T): Promise<T>;
  /** Resolves once nothing waits. */
  idle(): Promise<void>;
}

export const createWriteQueue = (): WriteQueue => {
  let tail: Promise<unknown> = Promise.resolve();

  return {
    write(timeoutMs, work) {
      const deadline = performance.now() + timeoutMs;
      const result = tail.then(() => untilUnlocked(deadline, work));
      tail = result.catch(() => {});
      return result;
    },

    async idle() {
      await tail;
    },
  };
};

const untilUnlocked = async <T>(deadline: number, work: () => T): Promise<T> => {
  for (;;) {
    try {
      return work();
    } catch (error) {
      const cause = error instanceof BrokerError ? error.cause : error;
      if (!isLocked(cause) || performance.now() >= deadline) throw error;
    }
    await sleep(RETRY_MS);
  }
};
