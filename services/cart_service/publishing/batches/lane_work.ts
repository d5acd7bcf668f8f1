import type { Topic } from '#kafka_common/broker.ts';
import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';

/** Processes the next batch of some partitions that share a leader. */
export type LaneWork = (topic: Topic, queues: readonly PartitionQueue[]) => Promise<BatchResult>;

interface BatchResult {
  /** False if every waiting request has an idempotency key that is in another lane's batch. */
  readonly taken: boolean;
  /** Events sent to the broker. */
  readonly sent: number;
  /** What is wrong with the broker; null if nothing is. */
  readonly problem: string | null;
}

/** Requests or events in one batch. */
export const MAX_BATCH = 500;
