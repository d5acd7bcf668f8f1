import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Topic } from '#kafka_common/broker.ts';
import type { LaneWork } from '#cart_service/publishing/batches/lane_work.ts';
import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { TopicQueues } from '#cart_service/publishing/waiting/topic_queues.ts';
import type { Waiting } from '#cart_service/publishing/waiting/waiting_room.ts';
import type { LeaderHealth } from './leader_health.ts';
import { oncePerTurn } from './next_turn.ts';

/**
 * One batch at a time for each partition leader: its lane. So a dead leader delays only the orders whose partitions it
 * leads. No partition is in two batches, so no event overtakes an earlier one of its order.
 */
export interface Lanes {
  /** Starts, in the next turn of the event loop, the batches that can start. */
  schedule(): void;
  /** Whether a batch of this leader is under way. */
  isBusy(leader: number): boolean;
  /** Refuses what waits for this leader now, and new requests at once, until a probe finds the leader back. */
  takeDown(leader: number, reason: string): void;
  /** Resolves once no partition is in a batch or set aside. */
  untilQuiet(): Promise<void>;
}

export interface LanesOptions {
  readonly queues: TopicQueues;
  readonly health: LeaderHealth;
  readonly leaderOf: (partition: number) => number;
  /** Publishes again what earlier batches left. */
  readonly relay: LaneWork;
  /** Serves the waiting requests. */
  readonly writeBatch: LaneWork;
  /** Answers a request that waits for a leader that does not take events. */
  readonly refuse: (waiting: Waiting, reason: string) => void;
  /** Called if no lane has work. */
  readonly onIdle: () => void;
  readonly logger: Logger;
  /** No batch starts after it aborts. */
  readonly signal: AbortSignal;
}

/** How often it is looked whether all batches have ended. */
const QUIET_LOOK_MS = 10;

// oxlint-disable-next-line max-lines-per-function -- one owner of the batches under way
export const createLanes = (options: LanesOptions): Lanes => {
  const { queues, health, leaderOf, logger } = options;
  /** The leaders with a batch under way. */
  const lanes = new Set<number>();
  const inBatch = new Set<PartitionQueue>();
  let first = 0;

  const takeDown = (leader: number, reason: string): void => {
    health.failed(leader, reason, schedule);
    for (const queue of queues.all) {
      if (leaderOf(queue.partition) !== leader) continue;
      for (const waiting of queue.takeAll()) options.refuse(waiting, reason);
    }
  };

  const goOnWith = (asides: readonly PartitionQueue[]): void => {
    for (const queue of asides) inBatch.delete(queue);
    schedule();
  };

  const runLane = async (topic: Topic, leader: number, share: readonly PartitionQueue[]): Promise<void> => {
    lanes.add(leader);
    for (const queue of share) inBatch.add(queue);
    let taken = true;
    let aside: readonly PartitionQueue[] = [];
    try {
      // What earlier batches left is published before anything newer.
      const left = share.filter(({ unsettled }) => unsettled.length > 0);
      const result = await (left.length > 0 ? options.relay(topic, left) : options.writeBatch(topic, share));
      taken = result.taken;
      if (result.aside !== undefined) {
        aside = result.aside.queues;
        void result.aside.until.then(() => goOnWith(aside));
      }
      if (result.trouble?.with === 'topic') queues.close(topic, result.trouble.reason);
      else if (result.trouble !== null) takeDown(leader, result.trouble.reason);
      else if (result.sent > 0) health.succeeded(leader);
    } catch (error) {
      logger.error({ err: error }, 'a batch failed by a fault of this service');
      takeDown(leader, 'a fault of the Cart Service, which was logged');
    } finally {
      for (const queue of share) if (!aside.includes(queue)) inBatch.delete(queue);
      lanes.delete(leader);
      // If nothing was taken, the lane that has the idempotency key schedules when its batch ends.
      if (taken) schedule();
    }
  };

  const startBatches = (): void => {
    const { topic, all } = queues;
    if (topic === null || options.signal.aborted) return;
    const shares = new Map<number, PartitionQueue[]>();
    // Each time from another partition on, so that under overload none waits for ever.
    first = (first + 1) % all.length;
    for (const queue of [...all.slice(first), ...all.slice(0, first)]) {
      if (inBatch.has(queue) || queue.isEmpty) continue;
      const leader = leaderOf(queue.partition);
      if (lanes.has(leader) || health.whyDown(leader) !== undefined) continue;
      const share = shares.get(leader);
      if (share === undefined) shares.set(leader, [queue]);
      else share.push(queue);
    }
    for (const [leader, share] of shares) void runLane(topic, leader, share);
    if (lanes.size === 0) options.onIdle();
  };

  const schedule = oncePerTurn(startBatches);

  return {
    schedule,
    isBusy: (leader) => lanes.has(leader),
    takeDown,
    async untilQuiet() {
      while (inBatch.size > 0) await sleep(QUIET_LOOK_MS);
    },
  };
};
