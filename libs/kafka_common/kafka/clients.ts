import { Admin, type BaseOptions, ConnectionPool, Consumer, Producer, stringSerializer } from '@platformatic/kafka';
import { type Closable, createClosables } from './closing.ts';

export interface KafkaBrokerOptions {
  /** Each as `host:port`. */
  readonly bootstrapServers: readonly string[];
  /** Names this client in the broker's logs and quotas. */
  readonly clientId: string;
}

/** The name or the content of a header. */
export type HeaderPart = string | Buffer;

export type LaneProducer = Producer<string, string, HeaderPart | null, HeaderPart | null>;

const toBytes = (part: HeaderPart | null | undefined): Buffer | undefined =>
  typeof part === 'string' ? Buffer.from(part) : (part ?? undefined);

const SERIALIZERS = { key: stringSerializer, value: stringSerializer, headerKey: toBytes, headerValue: toBytes };

/** The group gives a member up after this long without a heartbeat. A static member comes back before that. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_INTERVAL_MS = 1_000;

/** The limit of one request to a broker that stands still. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Joining a group can take as long as the other members need to join again. */
const JOIN_TIMEOUT_MS = 15_000;

const commonOptions = (clientId: string) =>
  ({
    clientId,
    connectTimeout: 1_000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // After 100, 200 and 400 ms.
    retries: 3,
    retryDelay: (_client: unknown, _operation: string, attempt: number) => 50 * 2 ** attempt,
  }) satisfies Omit<BaseOptions, 'bootstrapBrokers'> & { requestTimeout: number };

const CONSUMER_OPTIONS = {
  retries: 1,
  requestTimeout: JOIN_TIMEOUT_MS,
  sessionTimeout: SESSION_TIMEOUT_MS,
  rebalanceTimeout: SESSION_TIMEOUT_MS,
  heartbeatInterval: HEARTBEAT_INTERVAL_MS,
  // It only reports slow heartbeats, which nothing here listens to. The close itself can set its timer.
  heartbeatStallTimeout: 0,
  autocommit: false,
};

/** Makes the library's clients for one broker client, and closes them. Owns the order in which servers are asked. */
export const createClients = ({ bootstrapServers, clientId }: KafkaBrokerOptions) => {
  const common = commonOptions(clientId);
  const closables = createClosables();
  /** The library asks the first one again and again, even if it stands still and all others are well. */
  let servers = bootstrapServers;

  return {
    admin: (): Closable<Admin> =>
      closables.client(
        new Admin({ ...common, bootstrapBrokers: [...servers], clientId: `${clientId}-admin`, retries: 1 }),
      ),

    /** @param leaderAddress comes first, so that no other broker can hold up the leader's lane */
    producer(leaderAddress: string | undefined): Closable<LaneProducer> {
      const producer: LaneProducer = new Producer({
        ...common,
        bootstrapBrokers: [...new Set([leaderAddress ?? [], servers].flat())],
        idempotent: true,
        serializers: SERIALIZERS,
        // Errors refresh it. A periodic refresh would make a healthy leader's lane wait for a stopped broker.
        metadataMaxAge: 300_000,
      });
      surviveLostPartitions(producer);
      return closables.client(producer);
    },

    member: (groupId: string, groupInstanceId: string): Closable<Consumer> =>
      closables.client(
        new Consumer({ ...common, ...CONSUMER_OPTIONS, bootstrapBrokers: [...servers], groupId, groupInstanceId }),
      ),

    /** Fetches outside any group. The library asks for a group id all the same. */
    reader: (): Closable<Consumer> =>
      closables.client(
        new Consumer({
          ...common,
          ...CONSUMER_OPTIONS,
          bootstrapBrokers: [...servers],
          groupId: `${clientId}-reader`,
        }),
      ),

    fetchPool: (): Closable<ConnectionPool> => closables.pool(new ConnectionPool(clientId, common)),

    /** Clients made from now on ask the next server first. */
    askAnotherFirst(): void {
      servers = [...servers.slice(1), ...servers.slice(0, 1)];
    },

    close: (): Promise<void> => closables.close(),
  };
};

export type Clients = ReturnType<typeof createClients>;

/**
 * The library ends the process if it sends again after a topic was created again with fewer partitions: it looks up
 * the leader of a partition that is not in the fresh metadata. A broker of the topic stands in; it refuses the partition.
 */
const surviveLostPartitions = (producer: LaneProducer): void => {
  const most = new Map<string, number>();
  producer.on('client:metadata', ({ topics }) => {
    for (const [name, topic] of topics) {
      const [standIn] = topic?.partitions ?? [];
      if (standIn === undefined) continue;
      const count = Math.max(most.get(name) ?? 0, topic.partitions.length);
      most.set(name, count);
      while (topic.partitions.length < count) topic.partitions.push(standIn);
    }
  });
};
