import { Worker } from 'node:worker_threads';

export interface Checkpoints {
  stop(): Promise<void>;
}

/** What the worker thread receives. */
export interface CheckpointTask {
  readonly paths: readonly string[];
  readonly intervalMs: number;
  /** A log with more pages than this is started again from its beginning. */
  readonly longLogPages: number;
}

const INTERVAL_MS = 250;
/** 16 MB. */
const LONG_LOG_PAGES = 4_096;

/**
 * Moves commits from the write-ahead logs of SQLite files into the files themselves, in a worker thread. On the main
 * thread, a checkpoint would stop all requests for about 30 ms. If a checkpoint fails (a full disk), it is tried again.
 * Meanwhile the log grows, until the store's own connection makes a checkpoint (`LAST_RESORT_PAGES` in
 * `open_database.ts`).
 * @param paths files that are open already, and stay open until after `stop`
 */
export const startCheckpoints = (
  paths: readonly string[],
  { intervalMs = INTERVAL_MS, longLogPages = LONG_LOG_PAGES } = {},
): Checkpoints => {
  const task: CheckpointTask = { paths, intervalMs, longLogPages };
  const worker = new Worker(new URL('checkpoint_worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
  });
  // The thread only saves time: the process works without it.
  worker.on('error', () => {});
  worker.unref();
  return {
    async stop() {
      await worker.terminate();
    },
  };
};
