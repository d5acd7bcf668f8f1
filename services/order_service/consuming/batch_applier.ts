import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Batch } from '#kafka_common/broker.ts';
import { notifyObservers } from '#service_common/telemetry/observers.ts';
import type { EventOutcome, ViewWriter } from '#order_service/consumer_db.ts';
import type { RedriveProof } from '#order_service/redrive/redrive_proof.ts';
import type { AppliedTransaction, ApplyObserver } from './apply_observers.ts';
import { createApplyQueue } from './apply_queue.ts';
import { applyTransaction } from './apply_transaction.ts';
import type { AppliedStatus, ApplierStatus } from './runner_status.ts';
import { createStoreRetry, type StoreRetryOptions } from './store_retry.ts';

export interface BatchApplierOptions {
  readonly db: Pick<ViewWriter, 'load' | 'applyBatch'>;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** By it, a message counts as redriven. */
  readonly redriveProof: RedriveProof;
  readonly storeRetryDelay: StoreRetryOptions['delay'];
  readonly observers: readonly ApplyObserver[];
  /** Ends the retries on a store that fails. */
  readonly signal: AbortSignal;
}

export interface BatchApplier {
  /**
   * Applies the records of a batch to the view and moves the position to the end of the batch.
   *
   * There is one transaction at a time, because an order can have events in two partitions: of a producer that uses
   * other keys, or from before partitions were added. Transactions have a bounded size. Batches that come while one is
   * under way share the next one: a fetch brings a few records of many partitions, and each commit waits for the disk.
   * A store that fails is tried again until the signal aborts.
   * @param from the position that the view has of the partition; null for none
   * @throws the signal's reason, or StoreError `STORE_OVERTAKEN`
   */
  readonly apply: (batch: Batch, from: number | null) => Promise<void>;
  readonly status: () => ApplierStatus;
}

/** Records in one transaction. It bounds how long other requests wait (20 ms), and what is in memory twice. */
const CHUNK_SIZE = 500;

export const createBatchApplier = (options: BatchApplierOptions): BatchApplier => {
  const { db, logger, now, redriveProof, storeRetryDelay, observers, signal } = options;
  const queue = createApplyQueue(CHUNK_SIZE);
  const store = createStoreRetry({ logger, delay: storeRetryDelay, signal });
  const totals = createTotals();
  let isApplying = false;

  const applyQueued = async (): Promise<void> => {
    while (!queue.isEmpty) {
      const parts = queue.take();
      try {
        const applied = await store.untilDone(() => applyTransaction(db, parts, now, redriveProof));
        totals.add(applied);
        notifyObservers(observers, applied, logger, 'an observer of applied events failed');
        queue.applied();
      } catch (error) {
        queue.refused(error);
      }
      await othersTurn();
    }
    isApplying = false;
  };

  return {
    apply: (batch, from) => {
      const done = queue.push(batch, from);
      if (!isApplying) {
        isApplying = true;
        // In a microtask, because the other batches of the same fetch come in this turn.
        queueMicrotask(() => void applyQueued());
      }
      return done;
    },
    status: () => ({ ...totals.status(), storeFailure: store.failure() }),
  };
};

/** Counts what was applied since the start. */
const createTotals = () => {
  const outcomes: Record<EventOutcome, number> = { applied: 0, duplicate: 0, waiting: 0, conflict: 0 };
  let deadLetters = 0;
  let keyMismatches = 0;
  return {
    add: (applied: AppliedTransaction): void => {
      for (const { outcome } of applied.history) outcomes[outcome] += 1;
      deadLetters += applied.deadLetters.length;
      keyMismatches += applied.keyMismatches.length;
    },
    status: (): AppliedStatus => ({ outcomes: { ...outcomes }, deadLetters, keyMismatches }),
  };
};
