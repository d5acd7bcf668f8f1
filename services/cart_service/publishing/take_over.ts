import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { reasonOf } from '#service_common/reason_of.ts';
import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { TopicQueues } from '#cart_service/publishing/waiting/topic_queues.ts';
import type { StoreSharing } from '#cart_service/store/cart_store.ts';

import type { Lanes } from './lanes.ts';
import type { LeaderHealth } from './leader_health.ts';

/** How often it is looked for events of instances that are gone, in ms. */
const INTERVAL_MS = 500;

export interface TakeOverOptions {
  readonly sharing: StoreSharing;
  readonly queues: TopicQueues;
  readonly health: Pick<LeaderHealth, 'whyDown'>;
  readonly lanes: Pick<Lanes, 'isBusy' | 'schedule'>;
  readonly leaderOf: (partition: number) => number;
  readonly logger: Logger;
}

/**
 * Publishes what instances that are gone have left open. Nobody knows whether they have published it. So the log may get
 * an event a second time; its version shows that. An instance that cannot publish gives its own events to one that can.
 * Runs until the signal aborts.
 */
export const takeOverEvents = async (options: TakeOverOptions, signal: AbortSignal): Promise<void> => {
  const { sharing, queues, health, lanes, leaderOf, logger } = options;
  let problem: string | null = null;

  /** The queues from which nothing can be published now. */
  const stuck = (): readonly PartitionQueue[] =>
    queues.all.filter(({ partition }) => {
      const leader = leaderOf(partition);
      return health.whyDown(leader) !== undefined && !lanes.isBusy(leader);
    });

  const giveAway = async (queue: PartitionQueue): Promise<void> => {
    const rows = [...queue.unsettled];
    if (rows.length === 0) return;
    await sharing.release(rows);
    queue.settled(new Set(rows));
  };

  const takeOver = async (): Promise<void> => {
    const rows = await sharing.takeOver();
    for (const row of rows) queues.queueOf(row.orderId)?.stored(row);
    if (rows.length === 0) return;
    logger.warn({ count: rows.length, orderId: rows[0]?.orderId }, 'took over events of an instance that is gone');
    lanes.schedule();
  };

  while (!signal.aborted) {
    await sleep(INTERVAL_MS, undefined, { signal, ref: false }).catch(() => {});
    // The opening of the topic takes over what there is.
    if (signal.aborted || queues.topic === null) continue;
    try {
      const waiting = stuck();
      if (waiting.length === 0) await takeOver();
      for (const queue of waiting) await giveAway(queue);
      problem = null;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== problem)
        logger.warn({ reason }, 'cannot look for events of instances that are gone; trying again');
      problem = reason;
    }
  }
};
