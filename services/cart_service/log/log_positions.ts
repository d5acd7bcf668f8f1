import type { Positions } from '#kafka_common/broker.ts';

/**
 * For each partition, the offset below which the store knows every event. It moves on with the service's own events, as
 * long as no event of another producer lies between them.
 */
export interface LogPositions {
  /** Replaces all positions. */
  startFrom(positions: Positions): void;
  /** Takes the offset of an own event. @returns whether every event before it is known */
  acknowledged(partition: number, offset: number): boolean;
  /** Takes a position up to which the log was read. */
  readUpTo(partition: number, next: number): void;
  /** Whether the log holds an event below these ends that the store does not know. */
  isBehind(ends: Positions): boolean;
  /** Without the partitions that nothing was read from or written to. */
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
