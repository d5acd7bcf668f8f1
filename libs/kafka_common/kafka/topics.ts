import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerError, type Topic } from '#kafka_common/broker.ts';
import type { CurrentAdmin } from './admin.ts';
import { describeError, protocolErrorsOf, toBrokerError } from './errors.ts';

/** How long a new topic may take until all its partitions have a leader. */
const CREATED_TOPIC_MS = 5_000;

/** What is known of topics, their leaders and the brokers' addresses. `describe` learns it; nothing else changes it. */
export const createTopics = (admin: CurrentAdmin) => {
  /** By topic: the leader of every partition. */
  const leaders = new Map<string, readonly number[]>();
  /** By broker. */
  const addresses = new Map<number, string>();
  let leaderChanges = 0;

  const learnLeaders = (name: string, now: readonly number[]): void => {
    const before = leaders.get(name);
    leaders.set(name, now);
    if (before?.some((leader, partition) => leader !== now[partition])) leaderChanges += 1;
  };

  /** The topic, or null if it does not exist. @throws BrokerError `UNAVAILABLE` */
  const describe = async (name: string): Promise<Topic | null> => {
    try {
      const metadata = await admin.client.metadata({ topics: [name], forceUpdate: true });
      const found = metadata.topics.get(name);
      if (!found) return null;
      for (const [id, { host, port }] of metadata.brokers) addresses.set(id, `${host}:${port}`);
      learnLeaders(
        name,
        found.partitions.map(({ leader }) => leader),
      );
      return { name, id: found.id, partitions: found.partitionsCount };
    } catch (error) {
      if (describeError(error).includes('Unknown topic')) return null;
      throw toBrokerError(error);
    }
  };

  return {
    describe,

    /** @throws BrokerError `UNAVAILABLE`, `TOPIC_MISSING` */
    async existing(name: string): Promise<Topic> {
      const topic = await describe(name);
      if (topic === null) throw new BrokerError('TOPIC_MISSING', `topic ${name} does not exist`);
      return topic;
    },

    /** Creates the topic if it is missing, and waits until it has leaders. @throws BrokerError `UNAVAILABLE` */
    async ensure(name: string, partitions: number): Promise<Topic> {
      const found = await describe(name);
      if (found !== null) return found;
      await createTopic(admin, name, partitions);
      const deadline = performance.now() + CREATED_TOPIC_MS;
      while (performance.now() < deadline) {
        const created = await describe(name);
        if (created !== null && leaders.get(name)?.every((leader) => leader >= 0)) return created;
        await sleep(50);
      }
      throw new BrokerError('UNAVAILABLE', `topic ${name} was created, but has no leaders yet`);
    },

    /** The broker that leads the partition, or -1 if it is not known. */
    leaderOf: (name: string, partition: number): number => leaders.get(name)?.[partition] ?? -1,

    /** As `host:port`. */
    addressOf: (broker: number): string | undefined => addresses.get(broker),

    /** Grows when a partition of a known topic has got another leader. */
    leaderChanges: (): number => leaderChanges,
  };
};

export type Topics = ReturnType<typeof createTopics>;

export const partitionsOf = ({ partitions }: Topic): number[] =>
  Array.from({ length: partitions }, (_, partition) => partition);

const createTopic = async (admin: CurrentAdmin, name: string, partitions: number): Promise<void> => {
  try {
    await admin.client.createTopics({
      topics: [name],
      partitions,
      // The default of the cluster.
      replicas: -1,
      configs: [{ name: 'retention.ms', value: '-1' }],
    });
  } catch (error) {
    if (!protocolErrorsOf(error).includes('TOPIC_ALREADY_EXISTS')) throw toBrokerError(error);
  }
};
