import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerError, type Topic } from '#kafka_common/broker.ts';
import type { CurrentAdmin } from './admin.ts';
import { describeError, protocolErrorsOf, toBrokerError } from './errors.ts';
import { createKnownTopics } from './known_topics.ts';

/** How long a new topic may take until all its partitions have a leader. */
const CREATED_TOPIC_MS = 5_000;

/** What is known of topics, their leaders and the brokers' addresses. `describe` learns it; nothing else changes it. */
export const createTopics = (admin: CurrentAdmin) => {
  const known = createKnownTopics();
  /** By broker. */
  const addresses = new Map<number, string>();

  /** The topic, or null if it does not exist. @throws BrokerError `UNAVAILABLE` */
  const describe = async (name: string): Promise<Topic | null> => {
    try {
      const metadata = await admin.client.metadata({ topics: [name], forceUpdate: true });
      const found = metadata.topics.get(name);
      if (!found) return known.learn(name, null, []);
      for (const [id, { host, port }] of metadata.brokers) addresses.set(id, `${host}:${port}`);
      const topic = { name, id: found.id, partitions: found.partitionsCount };
      return known.learn(
        name,
        topic,
        found.partitions.map(({ leader }) => leader),
      );
    } catch (error) {
      if (describeError(error).includes('Unknown topic')) return known.learn(name, null, []);
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
        if (created !== null && known.hasLeaders(name)) return created;
        await sleep(50);
      }
      throw new BrokerError('UNAVAILABLE', `topic ${name} was created, but has no leaders yet`);
    },

    leaderOf: known.leaderOf,
    changes: known.changes,
    changeOf: known.changeOf,

    /** As `host:port`. */
    addressOf: (broker: number): string | undefined => addresses.get(broker),
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
