import type { Broker } from '#kafka_common/broker.ts';
import { withinMs } from '#service_common/within.ts';
import { createAdmin } from './admin.ts';
import { createClients, type KafkaBrokerOptions } from './clients.ts';
import { consumeInGroup } from './consuming/group_consumer.ts';
import { faultOf, fromLibrary, toBrokerError } from './errors.ts';
import { assignedPartitions } from './assigned_partitions.ts';
import { boundsOf, committedOffsets, earliestOffset } from './offsets.ts';
import { checkWriteRight } from './rights.ts';
import { createLanes } from './publishing/lanes.ts';
import { readLog } from './read_log.ts';
import { topicWarnings } from './topic_warnings.ts';
import { topicChangeNow, untilTopicChanges } from './topic_watch.ts';
import { createTopics, partitionsOf } from './topics.ts';

/** Apache Kafka behind the broker seam, through @platformatic/kafka. It connects when it is first used. */
export const createKafkaBroker = (options: KafkaBrokerOptions): Broker => {
  const clients = createClients(options);
  const admin = createAdmin(clients);
  const topics = createTopics(admin);
  const lanes = createLanes(clients, topics);

  /** Metadata can come from any broker, so the leader itself is asked for an offset and for this client's rights too. */
  const askLeader = async (name: string, leader: number): Promise<void> => {
    const topic = await topics.existing(name);
    const led = partitionsOf(topic).find((partition) => topics.leaderOf(name, partition) === leader);
    if (led === undefined) return;
    await earliestOffset(admin, name, led);
    const address = topics.addressOf(leader);
    if (address !== undefined) await checkWriteRight(admin, address, name);
  };

  return {
    ensureTopic: topics.ensure,
    describeTopic: topics.describe,
    leaderOf: topics.leaderOf,
    publish: lanes.publish,

    async probe(name, leader, timeoutMs) {
      await withinMs(timeoutMs, askLeader(name, leader)).catch((error: unknown) => {
        admin.replace();
        throw toBrokerError(error);
      });
    },

    read: (name, from, stallMs) => readLog({ clients, admin, topics }, name, from, stallMs),

    async consume(wanted) {
      const topic = await unlessAborted(topics.existing(wanted.topic), wanted.signal);
      if (topic === null) return;
      const consumer = clients.member(wanted.group, wanted.memberId);
      const fetchPool = clients.fetchPool();
      const earliest = (partition: number): Promise<number> => earliestOffset(admin, topic.name, partition);
      const untilChanged = (signal: AbortSignal) => untilTopicChanges(topics, topic, signal);
      try {
        await consumeInGroup({ consumer, fetchPool, earliest, untilChanged }, topic, wanted);
      } catch (error) {
        clients.askAnotherFirst();
        throw (faultOf(error) === 'topic' ? await topicChangeNow(topics, topic) : null) ?? fromLibrary(error);
      }
    },

    committed: async (group, name) => committedOffsets(admin, group, await topics.existing(name)),

    assignedIn: (group, name) => assignedPartitions(admin, group, name),

    bounds: async (name) => boundsOf(admin, await topics.existing(name)),

    topicWarnings: (name) => topicWarnings(admin, name),

    async close() {
      await lanes.close();
      await clients.close();
    },
  };
};

/** The promise's result, or null once the signal aborts: a broker that stands still must not hold up a stop. */
const unlessAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> => {
  const aborted = Promise.withResolvers<null>();
  const onAbort = (): void => aborted.resolve(null);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};
