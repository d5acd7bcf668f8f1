import { setTimeout as sleep } from 'node:timers/promises';
import {
  Admin,
  type BaseOptions,
  ConnectionPool,
  Consumer,
  FetchIsolationLevels,
  GenericError,
  ListOffsetTimestamps,
  MultipleErrors,
  Producer,
  stringSerializers,
} from '@platformatic/kafka';
import { type Broker, BrokerError, type Fate, type Positions, type Topic } from '#kafka_common/broker.ts';
import { type Closable, createClosables } from './closing.ts';
import { consumeInGroup } from './group_consumer.ts';
import { describeError, protocolErrorsOf, toBrokerError } from './errors.ts';
import { batchesOf, fetchRecords } from './fetch.ts';
import { createLane, type Lane, type RoutedMessage } from './lane.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { TimeoutReached, withinMs } from '#service_common/within.ts';

export interface KafkaBrokerOptions {
  /** As `host:port`. */
  readonly bootstrapServers: readonly string[];
  /** Names this client in the broker's logs and quotas. */
  readonly clientId: string;
}

/** A group member is given up by its group after this long without a heartbeat; a static one is back at once before. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_INTERVAL_MS = 1_000;

/** For one request to a broker that stands still; joining a group may take as long as the others need to join again. */
const REQUEST_TIMEOUT_MS = 5_000;
const JOIN_TIMEOUT_MS = 15_000;

/** After creating a topic: for all brokers to know its leaders. */
const CREATED_TOPIC_MS = 5_000;

/** Apache Kafka behind the broker seam, by @platformatic/kafka. Connects when first used. */
export const createKafkaBroker = ({ bootstrapServers, clientId }: KafkaBrokerOptions): Broker => {
  /** Asked in this order. The library would wait for a first one that stands still again and again, with all others well. */
  let servers = bootstrapServers;
  const askAnotherFirst = (): void => {
    servers = [...servers.slice(1), ...servers.slice(0, 1)];
  };

  const common = {
    clientId,
    connectTimeout: 1_000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // 100, 200, 400 ms.
    retries: 3,
    retryDelay: (_client: unknown, _operation: string, attempt: number) => 50 * 2 ** attempt,
  } satisfies Omit<BaseOptions, 'bootstrapBrokers'> & { requestTimeout: number };

  const parts = createClosables();

  const newAdmin = (): Closable<Admin> =>
    parts.client(new Admin({ ...common, bootstrapBrokers: [...servers], clientId: `${clientId}-admin`, retries: 1 }));
  let admin = newAdmin();
  /** Of each topic, as last described: the leader of every partition. */
  const leaders = new Map<string, readonly number[]>();
  /** Of each broker, as last described. */
  const addresses = new Map<number, string>();
  const lanes = new Map<number, Lane>();

  const newProducer = (leader: number): Closable<Producer<string, string, string, string>> =>
    parts.client(
      new Producer({
        ...common,
        // Its own leader first: no other broker shall hold up its lane.
        bootstrapBrokers: [...new Set([addresses.get(leader) ?? [], servers].flat())],
        idempotent: true,
        serializers: stringSerializers,
        // Errors refresh it; a refresh for its own sake would make a healthy leader's lane wait for a stopped broker.
        metadataMaxAge: 300_000,
      }),
    );

  const newConsumer = (groupId: string, memberId?: string): Closable<Consumer> =>
    parts.client(
      new Consumer({
        ...common,
        bootstrapBrokers: [...servers],
        groupId,
        ...(memberId === undefined ? {} : { groupInstanceId: memberId }),
        retries: 1,
        requestTimeout: JOIN_TIMEOUT_MS,
        sessionTimeout: SESSION_TIMEOUT_MS,
        rebalanceTimeout: SESSION_TIMEOUT_MS,
        heartbeatInterval: HEARTBEAT_INTERVAL_MS,
        // Only tells of slow heartbeats, which nobody here asks for; its timer can be set by the close itself.
        heartbeatStallTimeout: 0,
        autocommit: false,
      }),
    );

  const newFetchPool = (): Closable<ConnectionPool> => parts.pool(new ConnectionPool(clientId, common));

  const describeTopic = async (name: string): Promise<Topic | null> => {
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

  const learnLeaders = (name: string, now: readonly number[]): void => {
    const before = leaders.get(name);
    leaders.set(name, now);
    // The lanes' producers would go on sending to a former leader that does not answer.
    if (before?.some((leader, partition) => leader !== now[partition])) for (const lane of lanes.values()) lane.renew();
  };

  const existingTopic = async (name: string): Promise<Topic> => {
    const topic = await describeTopic(name);
    if (topic === null) throw new BrokerError('TOPIC_MISSING', `topic ${name} does not exist`);
    return topic;
  };

  const ensureTopic = async (name: string, partitions: number): Promise<Topic> => {
    const existing = await describeTopic(name);
    if (existing !== null) return existing;
    try {
      await admin.client.createTopics({
        topics: [name],
        partitions,
        replicas: -1,
        configs: [{ name: 'retention.ms', value: '-1' }],
      });
    } catch (error) {
      if (!protocolErrorsOf(error).includes('TOPIC_ALREADY_EXISTS')) throw toBrokerError(error);
    }
    const deadline = performance.now() + CREATED_TOPIC_MS;
    while (performance.now() < deadline) {
      const created = await describeTopic(name);
      if (created !== null && leaders.get(name)?.every((leader) => leader >= 0)) return created;
      await sleep(50);
    }
    throw new BrokerError('UNAVAILABLE', `topic ${name} was created, but has no leaders yet`);
  };

  const offsets = async (
    name: string,
    partitions: readonly number[],
    timestamp: bigint,
  ): Promise<Map<number, number>> => {
    const asked = partitions.map((partitionIndex) => ({ partitionIndex, timestamp }));
    // As far as it may be read: an open transaction of another producer ends it.
    const isolationLevel = FetchIsolationLevels.READ_COMMITTED;
    const listed = await admin.client.listOffsets({ topics: [{ name, partitions: asked }], isolationLevel });
    return new Map(listed.flatMap((entry) => entry.partitions.map((p) => [p.partitionIndex, Number(p.offset)])));
  };

  const boundsOf = async (topic: Topic): Promise<Map<number, { start: number; end: number }>> => {
    try {
      const starts = await offsets(topic.name, partitionsOf(topic), ListOffsetTimestamps.EARLIEST);
      const ends = await offsets(topic.name, partitionsOf(topic), ListOffsetTimestamps.LATEST);
      return new Map([...ends].map(([partition, end]) => [partition, { start: starts.get(partition) ?? 0, end }]));
    } catch (error) {
      throw toBrokerError(error);
    }
  };

  const earliest = async (name: string, partition: number): Promise<number> =>
    (await offsets(name, [partition], ListOffsetTimestamps.EARLIEST)).get(partition) ?? 0;

  const leaderOf = (topic: string, partition: number): number => leaders.get(topic)?.[partition] ?? -1;

  const laneOf = (leader: number): Lane => {
    let lane = lanes.get(leader);
    if (lane === undefined) {
      lane = createLane(() => newProducer(leader));
      lanes.set(leader, lane);
    }
    return lane;
  };

  return {
    ensureTopic,
    describeTopic,
    leaderOf,

    async publish(topic, messages, timeoutMs) {
      const fates: Fate[] = Array.from(messages, () => ({ kind: 'not_written', detail: 'not sent' }));
      const byLeader = new Map<number, { index: number; routed: RoutedMessage }[]>();
      messages.forEach((message, index) => {
        const partition = partitionOf(message.key, topic.partitions);
        const leader = leaderOf(topic.name, partition);
        const share = byLeader.get(leader) ?? [];
        byLeader.set(leader, share);
        share.push({ index, routed: { message, partition } });
      });
      await Promise.all(
        Array.from(byLeader, async ([leader, share]) => {
          const result = await laneOf(leader).publish(
            topic,
            share.map(({ routed }) => routed),
            timeoutMs,
          );
          share.forEach(({ index }, i) => {
            const fate = result[i];
            if (fate) fates[index] = fate;
          });
        }),
      );
      return fates;
    },

    async probe(name, leader, timeoutMs) {
      const check = async (): Promise<void> => {
        const topic = await existingTopic(name);
        const led = partitionsOf(topic).find((partition) => leaderOf(name, partition) === leader);
        // Metadata can come from any broker: this one must answer itself.
        if (led !== undefined) await earliest(name, led);
      };
      await withinMs(timeoutMs, check()).catch((error: unknown) => {
        askAnotherFirst();
        void admin.close();
        admin = newAdmin();
        throw toBrokerError(error);
      });
    },

    async *read(name, from) {
      const topic = await existingTopic(name);
      const limits = await boundsOf(topic);
      const consumer = newConsumer(`${clientId}-reader`);
      const fetchPool = newFetchPool();
      consumer.client.topics.track(name);
      try {
        for (const [partition, { start, end }] of limits) {
          const asked = from.get(partition) ?? start;
          let next = asked < start || asked > end ? start : asked;
          while (next < end) {
            const response = await fetchRecords(
              consumer.client,
              fetchPool.client,
              leaderOf(name, partition),
              topic,
              [{ partition, next }],
              100,
            );
            for (const batch of batchesOf(response, topic, [{ partition, next }])) {
              next = batch.next;
              yield batch;
            }
          }
        }
      } catch (error) {
        throw fromLibrary(error);
      } finally {
        await Promise.all([consumer.close(), fetchPool.close()]);
      }
    },

    async consume(options) {
      const topic = await unlessAborted(existingTopic(options.topic), options.signal);
      if (topic === null) return;
      const consumer = newConsumer(options.group, options.memberId);
      try {
        await consumeInGroup({ consumer, fetchPool: newFetchPool(), earliest }, topic, options);
      } catch (error) {
        askAnotherFirst();
        throw fromLibrary(error);
      }
    },

    async committed(group, name) {
      const topic = await existingTopic(name);
      const partitionIndexes = partitionsOf(topic);
      try {
        const groups = await admin.client.listConsumerGroupOffsets({
          groups: [{ groupId: group, topics: [{ name, partitionIndexes }] }],
        });
        return new Map(
          groups.flatMap((entry) =>
            entry.topics.flatMap(({ partitions }) =>
              partitions.flatMap(({ partitionIndex, committedOffset }) =>
                committedOffset >= 0n ? [[partitionIndex, Number(committedOffset)] as const] : [],
              ),
            ),
          ),
        ) satisfies Positions;
      } catch (error) {
        throw toBrokerError(error);
      }
    },

    bounds: async (name) => boundsOf(await existingTopic(name)),

    async close() {
      await Promise.all(Array.from(lanes.values(), (lane) => lane.close()));
      await parts.close();
    },
  };
};

const partitionsOf = ({ partitions }: Topic): number[] =>
  Array.from({ length: partitions }, (_, partition) => partition);

/** The promise's result, or null as soon as the signal aborts: a broker that stands still must not hold up a stop. */
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

/** Errors of the library become those of the seam; the caller's own, from `onBatch` and `startAt`, stay what they are. */
const fromLibrary = (error: unknown): unknown =>
  error instanceof GenericError || error instanceof MultipleErrors || error instanceof TimeoutReached
    ? toBrokerError(error)
    : error;
