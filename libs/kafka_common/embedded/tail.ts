import { watch } from 'node:fs';

/** Waits for the log to grow, in this process or in another. */
export interface Tail {
  /** Resolves after records may have been added. A read just before the call misses nothing. */
  change(): Promise<void>;
  /** Resolves all waits: this process knows of a change without polling. */
  wake(): void;
  close(): void;
}

const MIN_POLL_MS = 1;
const MAX_POLL_MS = 50;
/** Each poll waits longer than the last by this factor, while nothing happens. */
const SLOWING = 1.3;

/**
 * SQLite does not notify other processes of a commit, so this polls, ever more seldom while nothing happens: waking up
 * costs far more than the look. A write to the file makes it poll often again. The operating system reports the write
 * before the commit can be read, and never on some file systems, so the report is only a hint.
 * @param version changes with each commit of another connection
 * @param writtenFile the file that a commit writes to first
 */
export const createTail = (version: () => number, writtenFile: string): Tail => {
  let seen: number | undefined;
  let pollMs = MIN_POLL_MS;
  let waiting: PromiseWithResolvers<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closeWatcher: (() => void) | undefined;

  const wake = (): void => {
    clearTimeout(timer);
    waiting?.resolve();
    waiting = undefined;
  };

  const pollAgain = (nextMs: number): void => {
    pollMs = nextMs;
    clearTimeout(timer);
    if (waiting !== undefined) timer = setTimeout(poll, pollMs);
  };

  const poll = (): void => {
    if (hasChanged()) {
      pollMs = MIN_POLL_MS;
      wake();
    } else {
      pollAgain(Math.min(pollMs * SLOWING, MAX_POLL_MS));
    }
  };

  const hasChanged = (): boolean => {
    try {
      const before = seen;
      seen = version();
      return seen !== before;
    } catch {
      // The waiting reader meets the same error and reports it.
      return true;
    }
  };

  const change = (): Promise<void> => {
    closeWatcher ??= watchFile(writtenFile, () => {
      // Once is enough until the next poll: a steady stream of writes must not put it off.
      if (pollMs > MIN_POLL_MS) pollAgain(MIN_POLL_MS);
    });
    if (waiting === undefined) {
      waiting = Promise.withResolvers();
      pollAgain(pollMs);
    }
    return waiting.promise;
  };

  return { change, wake, close: () => closeWatcher?.() };
};

/** @returns ends the watch. If the file cannot be watched, polling alone has to do. */
const watchFile = (path: string, onWrite: () => void): (() => void) => {
  try {
    const watcher = watch(path, { persistent: false }, onWrite);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
};
