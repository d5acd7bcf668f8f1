import type { Fate, Topic } from '#kafka_common/broker.ts';
import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';

/** Processes the next batch of some partitions that share a leader. */
export type LaneWork = (topic: Topic, queues: readonly PartitionQueue[]) => Promise<BatchResult>;

interface BatchResult {
  /** False if every waiting request has an idempotency key that is in another lane's batch. */
  readonly taken: boolean;
  /** Events sent to the broker. */
  readonly sent: number;
  readonly trouble: Trouble | null;
  /** Partitions that can have no batch until the promise resolves. Their leader goes on with the others. */
  readonly aside?: { readonly queues: readonly PartitionQueue[]; readonly until: Promise<void> };
}

/** Why no event can be written now. The next batch would meet it too. */
export interface Trouble {
  readonly with: 'leader' | 'topic';
  readonly reason: string;
}

/** What Kafka refuses of one event for what it is says nothing of the broker. */
export const isRefusedForGood = (fate: Fate | undefined): boolean =>
  fate?.kind === 'not_written' && fate.fault === 'message';

export const troubleIn = (fates: readonly Fate[]): Trouble | null => {
  let trouble: Trouble | null = null;
  for (const fate of fates) {
    if (fate.kind === 'acknowledged' || isRefusedForGood(fate)) continue;
    if (fate.kind === 'not_written' && fate.fault === 'topic') return { with: 'topic', reason: fate.detail };
    trouble ??= { with: 'leader', reason: fate.detail };
  }
  return trouble;
};

/** Requests or events in one batch. */
export const MAX_BATCH = 500;
