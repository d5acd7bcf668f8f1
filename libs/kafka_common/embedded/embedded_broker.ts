import { setImmediate } from 'node:timers/promises';
import { type Broker, BrokerError, type Topic } from '#kafka_common/broker.ts';
import { consumeEmbedded } from './group_consumer.ts';
import { openEmbeddedGroups } from './groups.ts';
import { type Bounds, openEmbeddedLog, startWithin } from './log.ts';
import { createTail } from './tail.ts';

export interface EmbeddedBrokerOptions {
  /** The folder of `broker.sqlite` and `broker_groups.sqlite`; every process that uses it is a client of one broker. */
  readonly directory: string;
  /** Milliseconds since 1970, for the timestamps of the records. */
  readonly clock?: () => number;
}

/**
 * A durable log for the processes of one machine, with nothing to install. What is acknowledged is synced to disk.
 * Publishing is one synchronous transaction, so it settles before it returns; only a disk that hangs can hold it up.
 * @throws StoreError `STORE_REFUSED` where a file of that name cannot be used
 */
export const createEmbeddedBroker = ({ directory, clock = Date.now }: EmbeddedBrokerOptions): Broker => {
  const log = openEmbeddedLog(directory, clock);
  const groups = openEmbeddedGroups(directory);
  const tail = createTail(log.version, log.writtenFile);

  const requireTopic = (name: string): Topic => {
    const topic = log.findTopic(name);
    if (topic === null) throw topicMissing(name);
    return topic;
  };

  const boundsOf = (topic: Topic): Map<number, Bounds> =>
    new Map(Array.from({ length: topic.partitions }, (_, partition) => [partition, log.bounds(topic, partition)]));

  return {
    ensureTopic: async (name, partitions) => log.ensureTopic(name, partitions),

    describeTopic: async (name) => log.findTopic(name),

    leaderOf: () => 0,

    publish: async (topic, messages) => {
      const fates = log.append(topic, messages);
      tail.wake();
      return fates;
    },

    probe: async (topic) => {
      if (!log.touch(topic)) throw topicMissing(topic);
    },

    read: async function* (name, from) {
      const topic = requireTopic(name);
      for (const [partition, bounds] of boundsOf(topic)) {
        let position = startWithin(bounds, from.get(partition));
        while (position < bounds.end) {
          const batch = log.readBatch(topic, partition, position, bounds.end);
          if (batch === null) break;
          yield batch;
          position = batch.next;
          await setImmediate();
        }
      }
    },

    consume: async (options) => consumeEmbedded({ log, groups, tail }, requireTopic(options.topic), options),

    committed: async (group, topic) => groups.committed(group, requireTopic(topic)),

    bounds: async (topic) => boundsOf(requireTopic(topic)),

    close: async () => {
      tail.close();
      groups.close();
      log.close();
    },
  };
};

const topicMissing = (name: string): BrokerError => new BrokerError('TOPIC_MISSING', `topic ${name} does not exist`);
