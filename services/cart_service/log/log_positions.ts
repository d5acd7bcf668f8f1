import type { Positions } from '#kafka_common/broker.ts';

/**
 * Up to where the store knows all that stands in the log, for each partition. It moves on with the events that the
 * service writes itself, for as long as nothing of others stands between them.
 */
export interface LogPositions {
  /** Forgets all, and begins here. */
  startFrom(positions: Positions): void;
  /** Takes an event of the service's own. @returns whether all before it is known */
  acknowledged(partition: number, offset: number): boolean;
  /** Takes what was read. */
  readUpTo(partition: number, next: number): void;
  /** Whether the log holds anything below these ends that the store does not know. */
  isBehind(ends: Positions): boolean;
  /** Without the partitions of which nothing was read or written. */
  readonly known: Positions;
}

export const createLogPositions = (): LogPositions => {
  const known = new Map<number, number>();
  const at = (partition: number): number => known.get(partition) ?? 0;
  const readUpTo = (partition: number, next: number): void => {
    known.set(partition, Math.max(at(partition), next));
  };
  return {
    startFrom(positions) {
      known.clear();
      for (const [partition, next] of positions) known.set(partition, next);
    },
    acknowledged(partition, offset) {
      if (offset > at(partition)) return false;
      readUpTo(partition, offset + 1);
      return true;
    },
    readUpTo,
    isBehind: (ends) => [...ends].some(([partition, end]) => at(partition) < end),
    known,
  };
};
