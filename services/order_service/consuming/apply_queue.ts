import type { Batch, LogRecord, Topic } from '#kafka_common/broker.ts';

/** What a transaction takes of a queued batch. */
export interface Part {
  readonly topic: Topic;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** The position that the view has of the partition; null for none. */
  readonly from: number | null;
  /** The position that the part moves the partition to. */
  readonly next: number;
  readonly isLastOfBatch: boolean;
}

/** Batches on their way into the view, in the order they came. */
export interface ApplyQueue {
  /** Resolves when the whole batch is applied. @param from the position that the view has of the partition; null for none */
  push(batch: Batch, from: number | null): Promise<void>;
  readonly isEmpty: boolean;
  /**
   * The parts of the next transaction, of each partition at most one. A batch without records gives a part too, because
   * it moves its position. The transaction ends with `applied` or `refused`.
   */
  take(): readonly Part[];
  applied(): void;
  /** Refuses the batches that `take` gave parts of, whole. */
  refused(error: unknown): void;
}

interface QueuedBatch {
  readonly batch: Batch;
  /** How many of its records are applied. */
  applied: number;
  from: number | null;
  readonly done: PromiseWithResolvers<void>;
}

/** @param limit records in one transaction */
export const createApplyQueue = (limit: number): ApplyQueue => {
  let queue: QueuedBatch[] = [];
  /** What the transaction under way has taken, by partition. */
  let taken: ReadonlyMap<number, { readonly queued: QueuedBatch; readonly part: Part }> = new Map();

  const endTransaction = (isDone: (queued: QueuedBatch) => boolean): void => {
    taken = new Map();
    queue = queue.filter((queued) => !isDone(queued));
  };

  return {
    push(batch, from) {
      const done = Promise.withResolvers<void>();
      queue.push({ batch, applied: 0, from, done });
      return done.promise;
    },

    get isEmpty() {
      return queue.length === 0;
    },

    take() {
      const parts = new Map<number, { queued: QueuedBatch; part: Part }>();
      let left = limit;
      for (const queued of queue) {
        if (left <= 0) break;
        const { partition } = queued.batch;
        if (parts.has(partition)) continue;
        const part = partOf(queued, left);
        parts.set(partition, { queued, part });
        left -= part.records.length;
      }
      taken = parts;
      return Array.from(parts.values(), ({ part }) => part);
    },

    applied() {
      const done = new Set<QueuedBatch>();
      for (const { queued, part } of taken.values()) {
        queued.applied += part.records.length;
        queued.from = part.next;
        if (!part.isLastOfBatch) continue;
        queued.done.resolve();
        done.add(queued);
      }
      endTransaction((queued) => done.has(queued));
    },

    refused(error) {
      const refused = new Set(taken.values().map(({ queued }) => queued));
      for (const { done } of refused) done.reject(error);
      endTransaction((queued) => refused.has(queued));
    },
  };
};

const partOf = ({ batch, applied, from }: QueuedBatch, limit: number): Part => {
  const { topic, partition } = batch;
  const records = batch.records.slice(applied, applied + limit);
  const last = records.at(-1);
  const isLastOfBatch = applied + records.length === batch.records.length || !last;
  return { topic, partition, records, from, next: isLastOfBatch ? batch.next : last.offset + 1, isLastOfBatch };
};
