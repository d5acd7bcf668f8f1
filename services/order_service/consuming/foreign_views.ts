import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker } from '#kafka_common/broker.ts';
import type { ViewWriter } from '#order_service/consumer_db.ts';

/** Milliseconds between two looks. */
const LOOK_MS = 5_000;

export interface ForeignViewsOptions {
  readonly broker: Pick<Broker, 'committed'>;
  readonly db: Pick<ViewWriter, 'positions'>;
  readonly topic: string;
  readonly group: string;
  /** The partitions that this member owns now. */
  readonly assigned: () => readonly number[];
  readonly logger: Pick<Logger, 'error' | 'info'>;
  /** Ends the looks. */
  readonly signal: AbortSignal;
  readonly lookMs?: number;
}

interface ForeignViews {
  readonly warnings: () => readonly string[];
}

/**
 * Notices members of the group that apply their partitions to another view than this one. Then each view has a part of
 * the orders only. A member commits an offset to the group after its view is there. So a view that all members share is
 * never behind the group's offset of a partition. The partitions of this member do not count: a view that was deleted or
 * restored reads them again.
 */
export const watchForeignViews = (options: ForeignViewsOptions): ForeignViews => {
  const { broker, db, topic, group, assigned, logger, signal, lookMs = LOOK_MS } = options;
  /** Those of the last look. One look alone can fall into a rebalance. */
  let suspected: readonly number[] = [];
  let missing: readonly number[] = [];

  const look = async (): Promise<void> => {
    // The offsets first: the positions are never older then.
    const committed = await broker.committed(group, topic);
    const stored = new Map((await db.positions(topic)).map(({ partition, next }) => [partition, next]));
    const own = new Set(assigned());
    const behind = Array.from(committed)
      .filter(([partition, offset]) => !own.has(partition) && offset > (stored.get(partition) ?? 0))
      .map(([partition]) => partition)
      .toSorted((a, b) => a - b);
    const found = behind.filter((partition) => suspected.includes(partition));
    suspected = behind;
    if (found.some((partition) => !missing.includes(partition)))
      logger.error({ topic, group, partitions: found }, HALF_VIEW);
    if (found.length === 0 && missing.length > 0) logger.info({ topic, group }, 'the view has all partitions again');
    missing = found;
  };

  const lookAgainAndAgain = async (): Promise<void> => {
    while (!signal.aborted) {
      // The broker or the store cannot be reached: what was found still holds.
      await look().catch(() => {});
      await sleep(lookMs, undefined, { signal, ref: false }).catch(() => {});
    }
  };

  void lookAgainAndAgain();
  return {
    warnings: () =>
      missing.length === 0
        ? []
        : [`partition ${missing.join(', ')} of ${topic}: ${HALF_VIEW}. Answers lack orders, or show an old status`],
  };
};

const HALF_VIEW =
  'another member of the consumer group applies events to another view than this one; all Order Services of a group ' +
  'need the same DATABASE_URL, or on one machine the same DATA_DIR';
