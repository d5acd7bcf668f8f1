import type { Topic } from '#kafka_common/broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import { createPartitionQueue, type PartitionQueue } from './partition_queue.ts';

/** What of the outbox is open: stored, and not known to be acknowledged. */
export interface OpenOutbox {
  /** Whether an event of this order is. */
  isUnsettled(orderId: string): boolean;
  /** Whether an event of this partition is. */
  hasUnsettled(partition: number): boolean;
}

/**
 * The queues of a topic's partitions. There are none until the topic is open; until then only the outbox is known. If the
 * topic changes, they are closed, and replaced together.
 */
export interface TopicQueues extends OpenOutbox {
  /** Null until `open`, and after `close`. */
  readonly topic: Topic | null;
  /** After `close`, those of the former topic: batches under way still settle their events. */
  readonly all: readonly PartitionQueue[];
  /** @returns undefined unless the topic is open */
  queueOf(orderId: string): PartitionQueue | undefined;
  /**
   * No batch may be under way. The requests that wait go into the queues of this topic.
   * @param left the events to publish before anything newer, in publishing order
   * @returns aborts when the topic is closed, for the reason given
   */
  open(topic: Topic, left: readonly OutboxRow[]): AbortSignal;
  /** The topic is another one now: no batch starts any more. Does nothing if this topic is not open. */
  close(topic: Topic, reason: string): void;
  /** Why the topic was closed; null if it was not, or is open. */
  readonly whyClosed: string | null;
  /** Stored events not known to be acknowledged. */
  readonly unsettled: readonly OutboxRow[];
}

/** @param outbox what the last process left in the store */
export const createTopicQueues = (outbox: readonly OutboxRow[]): TopicQueues => {
  let recovered = outbox;
  let topic: Topic | null = null;
  let all: readonly PartitionQueue[] = [];
  let closing = new AbortController();

  const queueOf = (orderId: string): PartitionQueue | undefined =>
    topic === null ? undefined : all[partitionOf(orderId, topic.partitions)];

  const unsettled = (): readonly OutboxRow[] => [...recovered, ...all.flatMap((queue) => queue.unsettled)];

  return {
    get topic() {
      return topic;
    },
    get all() {
      return all;
    },
    queueOf,
    open(opened, left) {
      const requests = all.flatMap((queue) => queue.takeAll());
      const leftIn = Map.groupBy(left, ({ orderId }) => partitionOf(orderId, opened.partitions));
      all = Array.from({ length: opened.partitions }, (_, n) => createPartitionQueue(n, leftIn.get(n) ?? []));
      topic = opened;
      recovered = [];
      closing = new AbortController();
      for (const waiting of requests) queueOf(waiting.request.command.orderId)?.enqueue(waiting);
      return closing.signal;
    },
    close(closed, reason) {
      if (topic !== closed) return;
      topic = null;
      closing.abort(reason);
    },
    get whyClosed() {
      return topic === null && closing.signal.aborted ? String(closing.signal.reason) : null;
    },
    get unsettled() {
      return unsettled();
    },
    hasUnsettled: (partition) => (all[partition]?.unsettled.length ?? recovered.length) > 0,
    isUnsettled: (orderId) => (queueOf(orderId)?.unsettled ?? unsettled()).some((row) => row.orderId === orderId),
  };
};
