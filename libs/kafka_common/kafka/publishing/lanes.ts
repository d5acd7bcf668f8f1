import type { Fate, Message, Topic } from '#kafka_common/broker.ts';
import type { Clients } from '#kafka_common/kafka/clients.ts';
import { untilTopicChanges } from '#kafka_common/kafka/topic_watch.ts';
import type { Topics } from '#kafka_common/kafka/topics.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import type { RoutedMessage } from './fates.ts';
import { createLane, type Lane } from './lane.ts';
import { createSender } from './sender.ts';

interface Share {
  /** Where its messages stand in the batch. */
  readonly indexes: number[];
  readonly messages: RoutedMessage[];
}

/** One lane for each partition leader: a leader that is dead or stands still delays only the messages of its partitions. */
export const createLanes = (clients: Clients, topics: Topics) => {
  const lanes = new Map<number, Lane>();
  const closing = new AbortController();
  /** The topics published to, by id. Each is looked at until it changes. */
  const watched = new Set<string>();

  const watch = (topic: Topic): void => {
    if (watched.has(topic.id)) return;
    watched.add(topic.id);
    void untilTopicChanges(topics, topic, closing.signal).finally(() => watched.delete(topic.id));
  };

  const laneOf = (leader: number): Lane => {
    let lane = lanes.get(leader);
    if (lane === undefined) {
      const newProducer = () => clients.producer(topics.addressOf(leader));
      lane = createLane(createSender(newProducer, topics.changes));
      lanes.set(leader, lane);
    }
    return lane;
  };

  const sharesOf = (topic: Topic, messages: readonly Message[]): Map<number, Share> => {
    const shares = new Map<number, Share>();
    messages.forEach((message, index) => {
      const partition = partitionOf(message.key, topic.partitions);
      const leader = topics.leaderOf(topic.name, partition);
      const share = shares.get(leader) ?? { indexes: [], messages: [] };
      shares.set(leader, share);
      share.indexes.push(index);
      share.messages.push({ message, partition });
    });
    return shares;
  };

  return {
    /** Settles within `timeoutMs` with the fate of each message, by index. Never rejects. */
    async publish(topic: Topic, messages: readonly Message[], timeoutMs: number): Promise<Fate[]> {
      watch(topic);
      const change = topics.changeOf(topic);
      if (change !== null)
        return messages.map(() => ({ kind: 'not_written', detail: `not sent: ${change.message}`, fault: 'topic' }));
      const fates: Fate[] = Array.from(messages, () => ({ kind: 'not_written', detail: 'not sent' }));
      await Promise.all(
        Array.from(sharesOf(topic, messages), async ([leader, share]) => {
          const results = await laneOf(leader).publish(topic, share.messages, timeoutMs);
          share.indexes.forEach((index, i) => {
            const fate = results[i];
            if (fate) fates[index] = fate;
          });
        }),
      );
      // What the topic is now is asked at once. Publishing goes by it from then on.
      if (fates.some((fate) => fate.kind === 'not_written' && fate.fault === 'topic'))
        void topics.describe(topic.name).catch(() => {});
      return fates;
    },

    async close(): Promise<void> {
      closing.abort();
      await Promise.all(Array.from(lanes.values(), (lane) => lane.close()));
    },
  };
};
