import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import type { CheckpointOrders } from './checkpoints.ts';

const { paths, intervalMs, longLogPages } = workerData as CheckpointOrders;

/** For other connections to end their transactions, when a log is begun anew. */
const BUSY_TIMEOUT_MS = 100;

const checkpointed = (path: string): (() => void) => {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  db.exec('PRAGMA synchronous=FULL');
  // Holds up nobody; but behind a busy writer it never comes to the end of the log, which goes on growing.
  const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  // Right after the other, it has little left to do while it holds up writers.
  const restart = db.prepare('PRAGMA wal_checkpoint(RESTART)');
  return () => {
    const { log } = passive.get() as { log: number };
    if (log > longLogPages) restart.get();
  };
};

const files = paths.map(checkpointed);
setInterval(() => {
  for (const checkpoint of files) {
    try {
      checkpoint();
    } catch {
      // The disk is full, or another process holds a lock: it comes again.
    }
  }
}, intervalMs);
