import type { Batch, Positions } from '#kafka_common/broker.ts';
import type { PositionsStatus } from './runner_status.ts';

/** How far each partition is read, how far the view has it, and what is still to read. */
export interface PartitionPositions {
  /** Begins with partitions that were just assigned. @param stored the positions that the view has of them */
  begin(assigned: readonly number[], stored: Positions): void;
  /** Forgets the lag of all other partitions. */
  keepLagOf(assigned: readonly number[]): void;
  /** The batch without the records that were read before; null if nothing in it is new. */
  newIn(batch: Batch): Batch | null;
  /** The position that the view has of a partition; null for none. */
  stored(partition: number): number | null;
  /** The view now has the partition up to `next`. */
  applied(partition: number, next: number): void;
  /** What is to read before the first batch comes. @param start the first offset of the log @param end one past the last */
  setFirstLag(partition: number, start: number, end: number): void;
  /** @param records that are still to read after the last batch */
  setLag(partition: number, records: number): void;
  /** The log no longer holds the position of a partition; reading goes on at `resumedAt`. */
  lost(partition: number, resumedAt: number): void;
  /** The topic was made again, so the positions of so many partitions mean nothing. */
  lostAll(count: number): void;
  status(assigned: readonly number[]): PositionsStatus;
}

interface Progress {
  /** Reading goes on here. It is not `stored` if the view has no position, or if the log lost that position. */
  next: number;
  stored: number | null;
  /** Null until it is known. */
  lag: number | null;
  hasRead: boolean;
}

export const createPartitionPositions = (): PartitionPositions => {
  const partitions = new Map<number, Progress>();
  let positionsLost = 0;

  const progressOf = (partition: number): Progress => {
    const known = partitions.get(partition);
    if (known) return known;
    const progress = { next: 0, stored: null, lag: null, hasRead: false };
    partitions.set(partition, progress);
    return progress;
  };

  return {
    begin(assigned, stored) {
      for (const partition of assigned) {
        const progress = progressOf(partition);
        progress.stored = stored.get(partition) ?? null;
        progress.next = progress.stored ?? 0;
        progress.hasRead = false;
      }
    },
    keepLagOf(assigned) {
      for (const [partition, progress] of partitions) if (!assigned.includes(partition)) progress.lag = null;
    },
    newIn(batch) {
      const { next } = progressOf(batch.partition);
      if (batch.next <= next) return null;
      return { ...batch, records: batch.records.filter(({ offset }) => offset >= next) };
    },
    stored: (partition) => progressOf(partition).stored,
    applied(partition, next) {
      const progress = progressOf(partition);
      progress.next = next;
      progress.stored = next;
    },
    setFirstLag(partition, start, end) {
      const progress = progressOf(partition);
      if (!progress.hasRead) progress.lag = Math.max(0, end - Math.max(start, progress.next));
    },
    setLag(partition, records) {
      const progress = progressOf(partition);
      progress.lag = records;
      progress.hasRead = true;
    },
    lost(partition, resumedAt) {
      positionsLost += 1;
      progressOf(partition).next = resumedAt;
    },
    lostAll(count) {
      positionsLost += count;
    },
    status: (assigned) => ({
      positions: Object.fromEntries(assigned.map((partition) => [partition, partitions.get(partition)?.next ?? 0])),
      lag: Object.fromEntries(
        [...partitions].flatMap(([partition, { lag }]) => (lag === null ? [] : [[partition, lag] as const])),
      ),
      positionsLost,
    }),
  };
};
