import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker } from '#kafka_common/broker.ts';

/** Milliseconds between two looks. */
const LOOK_MS = 5_000;
/** A rebalance takes less, and so does the restart of a service. */
const UNREAD_MS = 15_000;

export interface UnreadPartitionsOptions {
  readonly broker: Pick<Broker, 'describeTopic' | 'assignedIn'>;
  readonly topic: string;
  readonly group: string;
  readonly logger: Pick<Logger, 'warn'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the looks. */
  readonly signal: AbortSignal;
  readonly lookMs?: number;
}

interface UnreadPartitions {
  /** How many partitions no member of the group has owned for some seconds. 0 while the broker does not answer. */
  readonly count: () => number;
  readonly warnings: () => readonly string[];
}

/** Looks every few seconds for partitions that no member of the group owns, and logs those that stay so. */
export const watchUnreadPartitions = (options: UnreadPartitionsOptions): UnreadPartitions => {
  const { broker, topic, group, logger, now, signal, lookMs = LOOK_MS } = options;
  /** By partition: when it was first found without an owner. */
  let unownedSince = new Map<number, number>();
  let unread: readonly number[] = [];

  const look = async (): Promise<void> => {
    const partitions = (await broker.describeTopic(topic))?.partitions ?? 0;
    const owned = await broker.assignedIn(group, topic);
    const unowned = Array.from({ length: partitions }, (_, partition) => partition).filter((p) => !owned.has(p));
    unownedSince = new Map(unowned.map((partition) => [partition, unownedSince.get(partition) ?? now()]));
    const found = unowned.filter((partition) => now() - (unownedSince.get(partition) ?? now()) >= UNREAD_MS);
    if (found.some((partition) => !unread.includes(partition)))
      logger.warn({ topic, group, partitions: found }, 'no member of the consumer group reads some partitions');
    unread = found;
  };

  const forget = (): void => {
    unownedSince = new Map();
    unread = [];
  };

  const lookAgainAndAgain = async (): Promise<void> => {
    while (!signal.aborted) {
      await look().catch(forget);
      await sleep(lookMs, undefined, { signal, ref: false }).catch(() => {});
    }
  };

  void lookAgainAndAgain();
  return {
    count: () => unread.length,
    warnings: () =>
      unread.length === 0
        ? []
        : [
            `no member of the consumer group ${group} reads partition ${unread.join(', ')} of ${topic}; ` +
              'new events there do not reach the view',
          ],
  };
};
