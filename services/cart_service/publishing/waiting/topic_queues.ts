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

/** The queues of a topic's partitions. There are none until the topic is open; until then only the outbox is known. */
export interface TopicQueues extends OpenOutbox {
  /** Null until `open`. */
  readonly topic: Topic | null;
  readonly all: readonly PartitionQueue[];
  /** @returns undefined until `open` */
  queueOf(orderId: string): PartitionQueue | undefined;
  /** @param left the events to publish before anything newer, in publishing order */
  open(topic: Topic, left: readonly OutboxRow[]): void;
  /** Stored events not known to be acknowledged. */
  readonly unsettled: readonly OutboxRow[];
}

/** @param outbox what the last process left in the store */
export const createTopicQueues = (outbox: readonly OutboxRow[]): TopicQueues => {
  let recovered = outbox;
  let topic: Topic | null = null;
  let all: readonly PartitionQueue[] = [];

  const queueOf = (orderId: string): PartitionQueue | undefined =>
    topic === null ? undefined : all[partitionOf(orderId, topic.partitions)];

  return {
    get topic() {
      return topic;
    },
    get all() {
      return all;
    },
    queueOf,
    open(opened, left) {
      const leftIn = Map.groupBy(left, ({ orderId }) => partitionOf(orderId, opened.partitions));
      all = Array.from({ length: opened.partitions }, (_, n) => createPartitionQueue(n, leftIn.get(n) ?? []));
      topic = opened;
      recovered = [];
    },
    get unsettled() {
      return topic === null ? recovered : all.flatMap((queue) => queue.unsettled);
    },
    hasUnsettled: (partition) => (all[partition]?.unsettled.length ?? recovered.length) > 0,
    isUnsettled: (orderId) => (queueOf(orderId)?.unsettled ?? recovered).some((row) => row.orderId === orderId),
  };
};
