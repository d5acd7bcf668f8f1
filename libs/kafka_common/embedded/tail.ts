import { watch } from 'node:fs';

/** Waiting for the log to grow, by whichever process. */
export interface Tail {
  /** Resolves after records may have been added: what was read just before the call misses nothing. */
  change(): Promise<void>;
  /** Resolves all that wait: for what this process knows without looking. */
  wake(): void;
  close(): void;
}

const MIN_POLL_MS = 1;
const MAX_POLL_MS = 50;
/** How much longer each wait is than the last, while nothing happens. */
const SLOWING = 1.3;

/**
 * SQLite tells no other process of a commit, so this looks, ever more seldom while nothing happens: waking up costs far
 * more than the look. The operating system's word that the file is being written makes it look often again. That word
 * comes before the commit can be read, and on some file systems never, so it is a hint and no more.
 * @param version changes with each commit of another connection
 * @param writtenFile what a commit writes to first
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
      // Whoever waits meets the same error on reading, and has somebody to tell.
      return true;
    }
  };

  const change = (): Promise<void> => {
    closeWatcher ??= watchFile(writtenFile, () => {
      // Once is enough until the next look: a steady stream of writes must not put that off.
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

/** Returns how to end it. Where the file cannot be watched, polling alone has to do. */
const watchFile = (path: string, onWrite: () => void): (() => void) => {
  try {
    const watcher = watch(path, { persistent: false }, onWrite);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
};
