import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import type { CheckpointTask } from './checkpoints.ts';

const { paths, intervalMs, longLogPages } = workerData as CheckpointTask;

/** Time for other connections to end their transactions before the log starts again from its beginning. */
const BUSY_TIMEOUT_MS = 100;

const prepareCheckpoint = (path: string): (() => void) => {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  db.exec('PRAGMA synchronous=FULL');
  // Blocks nobody. But behind a busy writer it never reaches the end of the log, and the log goes on growing.
  const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  // Blocks writers. Right after a passive checkpoint, it has little left to do.
  const restart = db.prepare('PRAGMA wal_checkpoint(RESTART)');
  return () => {
    const { log } = passive.get() as { log: number };
    if (log > longLogPages) restart.get();
  };
};

const checkpoints = paths.map(prepareCheckpoint);
setInterval(() => {
  for (const checkpoint of checkpoints) {
    try {
      checkpoint();
    } catch {
      // The disk is full, or another process holds a lock. The next interval tries again.
    }
  }
}, intervalMs);
