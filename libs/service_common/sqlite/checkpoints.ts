import { Worker } from 'node:worker_threads';

export interface Checkpoints {
  stop(): Promise<void>;
}

/** What the thread is told to look after. */
export interface CheckpointOrders {
  readonly paths: readonly string[];
  readonly intervalMs: number;
  /** Pages in a log, from which on it is begun anew. */
  readonly longLogPages: number;
}

const INTERVAL_MS = 250;
/** 16 MB. */
const LONG_LOG_PAGES = 4_096;

/**
 * Moves what was committed to SQLite files from their write-ahead logs into the files themselves, in a thread of its own:
 * on the one that answers requests, a checkpoint is a stand-still of some 30 ms. Where it fails (a full disk), the logs
 * grow until the connections' own checkpoints set in (`LAST_RESORT_PAGES` in `sqlite.ts`), and it is tried again.
 * @param paths files that are open already, and stay so until after `stop`
 */
export const startCheckpoints = (
  paths: readonly string[],
  { intervalMs = INTERVAL_MS, longLogPages = LONG_LOG_PAGES } = {},
): Checkpoints => {
  const orders: CheckpointOrders = { paths, intervalMs, longLogPages };
  const worker = new Worker(new URL('checkpoint_worker.ts', import.meta.url), {
    workerData: orders,
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
  });
  // Only saves time: a process goes on without it.
  worker.on('error', () => {});
  worker.unref();
  return {
    async stop() {
      await worker.terminate();
    },
  };
};
