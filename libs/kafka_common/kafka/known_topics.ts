import type { BrokerError, Topic } from '#kafka_common/broker.ts';
import { topicChange } from '#kafka_common/topic_change.ts';

/** Topics and the leaders of their partitions, as last described. */
export const createKnownTopics = () => {
  /** Null if the topic does not exist. */
  const known = new Map<string, Topic | null>();
  /** By topic: the leader of every partition. */
  const leaders = new Map<string, readonly number[]>();
  let changes = 0;

  return {
    /** @param now null if the topic does not exist @returns the same */
    learn(name: string, now: Topic | null, leadersNow: readonly number[]): Topic | null {
      const before = known.get(name);
      const moved = leaders.get(name)?.some((leader, partition) => leader !== leadersNow[partition]);
      if (moved || (before && topicChange(before, now) !== null)) changes += 1;
      known.set(name, now);
      leaders.set(name, leadersNow);
      return now;
    },

    /** The broker that leads the partition, or -1 if it is not known. */
    leaderOf: (name: string, partition: number): number => leaders.get(name)?.[partition] ?? -1,

    hasLeaders: (name: string): boolean => leaders.get(name)?.every((leader) => leader >= 0) ?? false,

    /** Grows when a known topic has changed, or one of its partitions has got another leader. */
    changes: (): number => changes,

    /** What has become of the topic since, as far as it is known. */
    changeOf(topic: Topic): BrokerError | null {
      const now = known.get(topic.name);
      return now === undefined ? null : topicChange(topic, now);
    },
  };
};
