import type { Batch, Positions } from '#kafka_common/broker.ts';
import type { PositionsStatus } from './runner_status.ts';

/** How far each partition is read, how far the view has it, and what is still to read. */
export interface PartitionPositions {
  /** Begins with partitions that were just assigned. @param stored the positions that the view has of them */
  begin(assigned: readonly number[], stored: Positions): void;
  /** Forgets the lag of all other partitions, and what holds them up. */
  keepLagOf(assigned: readonly number[]): void;
  /** The batch without the records that were read before; null if nothing in it is new. */
  newIn(batch: Batch): Batch | null;
  /** The position that the view has of a partition; null for none. */
  stored(partition: number): number | null;
  /** The view now has the partition up to `next`. */
  applied(partition: number, next: number): void;
  /** What is to read before the first batch comes. @param start the first offset of the log @param end one past the last */
  setFirstLag(partition: number, start: number, end: number): void;
  /** Takes what a batch says about its partition. @param now milliseconds since 1970 */
  read(batch: Batch, now: number): void;
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
  /** Milliseconds since 1970; null if nothing holds it up. */
  heldUpSince: number | null;
}

export const createPartitionPositions = (): PartitionPositions => {
  const partitions = new Map<number, Progress>();
  let positionsLost = 0;

  const progressOf = (partition: number): Progress => {
    const known = partitions.get(partition);
    if (known) return known;
    const progress = { next: 0, stored: null, lag: null, hasRead: false, heldUpSince: null };
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
        progress.heldUpSince = null;
      }
    },
    keepLagOf(assigned) {
      for (const [partition, progress] of partitions) {
        if (assigned.includes(partition)) continue;
        progress.lag = null;
        progress.heldUpSince = null;
      }
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
    read({ partition, next, end, isHeldUp = false }, now) {
      const progress = progressOf(partition);
      progress.lag = end - next;
      progress.heldUpSince = isHeldUp ? (progress.heldUpSince ?? now) : null;
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
      lag: present(partitions, ({ lag }) => lag),
      heldUp: present(partitions, ({ heldUpSince }) =>
        heldUpSince === null ? null : new Date(heldUpSince).toISOString(),
      ),
      positionsLost,
    }),
  };
};

/** What the partitions have, without those that have none. */
const present = <T>(
  partitions: ReadonlyMap<number, Progress>,
  valueOf: (progress: Progress) => T | null,
): Record<number, T> =>
  Object.fromEntries(
    [...partitions].flatMap(([partition, progress]) => {
      const value = valueOf(progress);
      return value === null ? [] : [[partition, value] as const];
    }),
  );
