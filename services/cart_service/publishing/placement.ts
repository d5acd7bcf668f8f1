import { type Failure, STOPPING, unavailable } from '#cart_service/publishing/waiting/failures.ts';
import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { TopicQueues } from '#cart_service/publishing/waiting/topic_queues.ts';
import type { Waiting } from '#cart_service/publishing/waiting/waiting_room.ts';
import type { LeaderHealth } from './leader_health.ts';
import type { Refusals } from './refusals.ts';

export interface PlacementOptions {
  readonly queues: TopicQueues;
  readonly health: LeaderHealth;
  readonly leaderOf: (partition: number) => number;
  readonly refusals: Pick<Refusals, 'refuse'>;
  /** Why the log is not open. */
  readonly whyNotOpen: () => string;
  /** Called when a request has entered a queue. */
  readonly onPlaced: () => void;
  /** No request is taken after it aborts. */
  readonly signal: AbortSignal;
}

/** Puts a request into the queue of its order, or refuses it if nothing can be published from there. */
export const createPlacement = (options: PlacementOptions): ((waiting: Waiting) => void) => {
  const { queues, health, leaderOf, refusals, signal } = options;

  const placeFor = (orderId: string): PartitionQueue | Failure => {
    if (signal.aborted) return STOPPING;
    const queue = queues.queueOf(orderId);
    if (queue === undefined) return unavailable(options.whyNotOpen());
    const reason = health.whyDown(leaderOf(queue.partition));
    return reason === undefined ? queue : unavailable(reason);
  };

  return (waiting) => {
    const place = placeFor(waiting.request.command.orderId);
    if ('code' in place) {
      refusals.refuse(waiting, place);
      return;
    }
    place.enqueue(waiting);
    options.onPlaced();
  };
};
