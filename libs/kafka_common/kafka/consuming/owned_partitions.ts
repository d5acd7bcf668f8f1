import type { Batch, ConsumeOptions, Positions, Topic } from '#kafka_common/broker.ts';

/** A partition that this member owns. The object is the ownership: a partition lost and regained gets another object. */
export interface OwnedPartition {
  readonly partition: number;
  /** The offset to go on from. */
  next: number;
  /** What the group knows of `next`, or null before the first commit. */
  committed: number | null;
  /** One of its batches is in hand. */
  handling: boolean;
}

/** The partitions that this member owns, their positions, and the batches in hand. */
export interface OwnedPartitions {
  /**
   * Those that had no records for the longest time come first, as in the Java client. A leader fills a fetch in the order
   * of its partitions, up to a limit, so the last ones would get nothing while the first ones have much.
   */
  all(): OwnedPartition[];
  /** Takes the partitions of an assignment, and asks where to start in the new ones. */
  assign(partitions: readonly number[]): Promise<void>;
  forgetAll(): void;
  /** Handles a batch, unless its partition was lost since the fetch was sent. @throws what `onBatch` throws */
  handle(partition: OwnedPartition, batch: Batch): Promise<void>;
  /** The log does not hold the partition's position: goes on from the earliest offset. */
  resumeFromEarliest(partition: OwnedPartition): Promise<void>;
  /** Resolves once no batch is in hand. */
  batchesDone(): Promise<void>;
}

/**
 * @param earliest the first offset that the log still holds
 * @param stopping once it aborts, no further batch is handled
 */
export const createOwnedPartitions = (
  topic: Topic,
  options: Pick<ConsumeOptions, 'startAt' | 'onBatch' | 'onPositionLost'>,
  earliest: (partition: number) => Promise<number>,
  stopping: AbortSignal,
): OwnedPartitions => {
  /** In the order of `all`. */
  const owned = new Map<number, OwnedPartition>();
  const inHand = new Set<Promise<void>>();

  const fromTheStart = async (partition: number): Promise<number> => {
    const start = await earliest(partition);
    if (start > 0) options.onPositionLost?.({ partition, wanted: 0, resumedAt: start });
    return start;
  };

  const applyAndMove = async (partition: OwnedPartition, batch: Batch): Promise<void> => {
    await options.onBatch(batch);
    partition.next = batch.next;
  };

  const moveToEnd = (partition: OwnedPartition): void => {
    owned.delete(partition.partition);
    owned.set(partition.partition, partition);
  };

  const batchesDone = async (): Promise<void> => {
    await Promise.allSettled(inHand);
  };

  return {
    all: () => [...owned.values()],

    async assign(partitions) {
      for (const partition of owned.keys()) if (!partitions.includes(partition)) owned.delete(partition);
      const added = partitions.filter((partition) => !owned.has(partition));
      if (added.length === 0) return;
      // A batch of a partition that was ours before can still be in hand: the position is read after it.
      await batchesDone();
      if (stopping.aborted) return;
      const positions: Positions = await options.startAt(topic, added);
      for (const partition of added) {
        const next = positions.get(partition) ?? (await fromTheStart(partition));
        owned.set(partition, { partition, next, committed: null, handling: false });
      }
    },

    forgetAll: () => owned.clear(),

    async handle(partition, batch) {
      if (stopping.aborted || owned.get(partition.partition) !== partition) return;
      if (batch.records.length > 0) moveToEnd(partition);
      const handled = applyAndMove(partition, batch);
      partition.handling = true;
      inHand.add(handled);
      await handled.finally(() => inHand.delete(handled));
      partition.handling = false;
    },

    async resumeFromEarliest(partition) {
      const resumedAt = await earliest(partition.partition);
      options.onPositionLost?.({ partition: partition.partition, wanted: partition.next, resumedAt });
      partition.next = resumedAt;
    },

    batchesDone,
  };
};
