import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { Waiting } from '#cart_service/publishing/waiting/waiting_room.ts';
import type { CommandRequest } from '#cart_service/requests.ts';
import { MAX_BATCH } from './lane_work.ts';

/** A request in a batch. */
export interface BatchEntry {
  readonly request: CommandRequest;
  readonly waiting: Waiting;
  /** The queue that it was taken from. */
  readonly queue: PartitionQueue;
}

export interface TakenBatch {
  /** No two are about one order or under one idempotency key, so each command is decided on a settled state. */
  readonly entries: readonly BatchEntry[];
  readonly idempotencyKeys: readonly string[];
  /** On the clock of `performance.now()`. */
  readonly takenAt: number;
}

export interface BatchTaker {
  /** Takes requests off the queues. @returns null if there is none to take */
  take(queues: readonly PartitionQueue[]): TakenBatch | null;
  /** Ends a batch: its idempotency keys are free again. */
  release(batch: TakenBatch): void;
}

/** A request is taken only if the time left is this many times the recent longest batch. */
const SAFETY = 1.5;
/** What each shorter batch leaves of the recent longest one. */
const DECAY = 0.8;

export const createBatchTaker = (options: {
  /** The idempotency keys of the batches under way. A batch adds its own. */
  keysInFlight: Set<string>;
  /** Answers a request whose turn would come too late. */
  refuseLate: (waiting: Waiting) => void;
  publishTimeoutMs: number;
}): BatchTaker => {
  const { keysInFlight } = options;
  /** The recent longest time from taking a batch to the fate of its events, in ms. */
  let batchMs = 0;

  /**
   * Is there time left for a batch? If the queue is longer than the deadline allows, the oldest requests would take all
   * the batches: each event would be published just when its client is answered `unknown`.
   */
  const comesInTime = ({ deadline }: Waiting): boolean =>
    deadline - performance.now() > Math.min(SAFETY * batchMs, options.publishTimeoutMs / 2);

  return {
    take(queues) {
      const takenAt = performance.now();
      const entries: BatchEntry[] = [];
      const idempotencyKeys: string[] = [];
      const orders = new Set<string>();
      for (const queue of queues) {
        queue.offer((waiting) => {
          const { request } = waiting;
          const { command, idempotencyKey: key } = request;
          if (entries.length >= MAX_BATCH || orders.has(command.orderId)) return false;
          if (key !== null && keysInFlight.has(key)) return false;
          if (!comesInTime(waiting)) {
            options.refuseLate(waiting);
            return true;
          }
          entries.push({ request, waiting, queue });
          orders.add(command.orderId);
          if (key !== null) {
            keysInFlight.add(key);
            idempotencyKeys.push(key);
          }
          return true;
        });
      }
      return entries.length === 0 ? null : { entries, idempotencyKeys, takenAt };
    },

    release({ idempotencyKeys, takenAt }) {
      batchMs = Math.max(performance.now() - takenAt, batchMs * DECAY);
      for (const key of idempotencyKeys) keysInFlight.delete(key);
    },
  };
};
