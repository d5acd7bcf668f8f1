import { setImmediate } from 'node:timers/promises';
import { type Batch, type Broker, BrokerError, type Fate, type Positions, type Topic } from '#kafka_common/broker.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { isInputOutputError } from '#service_common/sqlite/sqlite_errors.ts';
import { consumeEmbedded } from './group_consumer.ts';
import { type EmbeddedGroups, openEmbeddedGroups } from './groups.ts';
import { type Bounds, type EmbeddedLog, openEmbeddedLog, startWithin } from './log.ts';
import { createTail } from './tail.ts';
import { createWriteQueue } from './write_queue.ts';

export interface EmbeddedBrokerOptions {
  /** The folder of `broker.sqlite` and `broker_groups.sqlite`. Every process that uses it is a client of one broker. */
  readonly directory: string;
  /** How long each attempt to open a file waits for the locks of other processes, in ms. */
  readonly openingMs?: number;
  /** Milliseconds since 1970, for the timestamps of the records. */
  readonly clock?: () => number;
}

/** How long creating a topic waits for a process that holds the log. */
const ENSURE_TOPIC_MS = 5_000;

/**
 * A durable log for the processes of one machine, with nothing to install. What is acknowledged is synced to disk.
 * Publishing is one synchronous transaction. Only a disk that hangs can hold it up beyond its time.
 * @throws StoreError `STORE_REFUSED` if a file of that name cannot be used
 */
export const createEmbeddedBroker = ({ directory, openingMs, clock = Date.now }: EmbeddedBrokerOptions): Broker => {
  const log = openEmbeddedLog(directory, clock, openingMs);
  const groups = openGroups(log, directory, openingMs);
  const tail = createTail(log.version, log.writtenFile);
  const queue = createWriteQueue();

  return {
    ensureTopic: (name, partitions) => queue.write(ENSURE_TOPIC_MS, () => log.ensureTopic(name, partitions)),

    describeTopic: async (name) => log.findTopic(name),

    leaderOf: () => 0,

    async publish(topic, messages, timeoutMs) {
      try {
        return await queue.write(timeoutMs, () => log.append(topic, messages));
      } catch (error) {
        return messages.map(() => fateAfter(error));
      } finally {
        tail.wake();
      }
    },

    async probe(topic, _leader, timeoutMs) {
      if (!(await queue.write(timeoutMs, () => log.touch(topic)))) throw topicMissing(topic);
    },

    read: (name, from) => readLog(log, name, from),

    consume: async (options) => consumeEmbedded({ log, groups, tail }, existingTopic(log, options.topic), options),

    committed: async (group, topic) => groups.committed(group, existingTopic(log, topic)),

    assignedIn: async (group, topic) => groups.assigned(group, existingTopic(log, topic)),

    bounds: async (topic) => boundsOf(log, existingTopic(log, topic)),

    topicWarnings: async () => [],

    async close() {
      tail.close();
      groups.close();
      log.close();
      await queue.idle();
    },
  };
};

const openGroups = (log: EmbeddedLog, directory: string, openingMs: number | undefined): EmbeddedGroups => {
  try {
    return openEmbeddedGroups(directory, openingMs);
  } catch (error) {
    log.close();
    throw error;
  }
};

/** Rolled back. But a failed sync can leave the commit in the WAL file, where recovery after a crash finds it. */
const fateAfter = (error: unknown): Fate => ({
  kind: isInputOutputError(error) ? 'unknown' : 'not_written',
  detail: reasonOf(error),
});

async function* readLog(log: EmbeddedLog, name: string, from: Positions): AsyncIterable<Batch> {
  const topic = existingTopic(log, name);
  for (const [partition, bounds] of boundsOf(log, topic)) {
    let position = startWithin(bounds, from.get(partition));
    while (position < bounds.end) {
      const batch = log.readBatch(topic, partition, position, bounds.end);
      if (batch === null) break;
      yield batch;
      position = batch.next;
      await setImmediate();
    }
  }
}

const boundsOf = (log: EmbeddedLog, topic: Topic): Map<number, Bounds> =>
  new Map(Array.from({ length: topic.partitions }, (_, partition) => [partition, log.bounds(topic, partition)]));

/** @throws BrokerError `TOPIC_MISSING` */
const existingTopic = (log: EmbeddedLog, name: string): Topic => {
  const topic = log.findTopic(name);
  if (topic === null) throw topicMissing(name);
  return topic;
};

const topicMissing = (name: string): BrokerError => new BrokerError('TOPIC_MISSING', `topic ${name} does not exist`);
