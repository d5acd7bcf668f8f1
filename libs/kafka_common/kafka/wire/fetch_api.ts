import {
  apiVersionsV3,
  type Connection,
  createAPI,
  fetchV12,
  fetchV13,
  fetchV14,
  fetchV15,
  fetchV16,
  fetchV17,
  type Reader,
  ResponseError,
} from '@platformatic/kafka';
import { BrokerError, type Topic } from '#kafka_common/broker.ts';
import type { AbortedTransaction } from './committed_batches.ts';

/**
 * Fetch (Kafka protocol) with the library's request and an answer of our own. The library decompresses record batches
 * while it parses, without a limit, and drops the list of aborted transactions. Here the records stay bytes.
 */

export interface PartitionAnswer {
  readonly partition: number;
  readonly errorCode: number;
  /** One past the last record. */
  readonly highWatermark: bigint;
  /** One past the last record that no open transaction holds back. */
  readonly lastStableOffset: bigint;
  readonly abortedTransactions: readonly AbortedTransaction[];
  /** Record batches. The last one may be cut. */
  readonly records: Buffer;
}

const FETCH = 1;
const NO_RECORDS = Buffer.alloc(0);

const readPartition = (reader: Reader): PartitionAnswer => {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = reader.readInt64();
  const lastStableOffset = reader.readInt64();
  reader.readInt64(); // the log's start
  const abortedTransactions =
    reader.readNullableArray((r) => ({ producerId: r.readInt64(), firstOffset: r.readInt64() })) ?? [];
  reader.readInt32(); // the preferred replica
  const records = reader.readNullableBytes() ?? NO_RECORDS;
  return { partition, errorCode, highWatermark, lastStableOffset, abortedTransactions, records };
};

type Request = Parameters<typeof fetchV17.createRequest>;

/** Up to version 12 a topic goes by its name. */
const FIRST_WITH_ID = 13;

const parseAnswer = (_correlationId: number, _key: number, version: number, reader: Reader): PartitionAnswer[] => {
  reader.readInt32(); // throttle time
  const errorCode = reader.readInt16();
  reader.readInt32(); // session
  // Both readers skip the tagged fields that end each entry.
  const topics = reader.readArray((r) => {
    if (version < FIRST_WITH_ID) r.readString();
    else r.readUUID();
    return r.readArray(readPartition);
  });
  if (errorCode !== 0) throw new ResponseError(FETCH, version, { '': [errorCode, null] }, topics);
  return topics.flat();
};

const apiOf = (version: number, { createRequest }: Pick<typeof fetchV17, 'createRequest'>) =>
  createAPI<Request, PartitionAnswer[]>(FETCH, version, createRequest, parseAnswer);

/** Version 17 is of Kafka 3.9, 12 of Kafka 2.7. Compatible brokers of another make have one between. */
const APIS = new Map(
  [fetchV12, fetchV13, fetchV14, fetchV15, fetchV16, fetchV17].map((library, n) => [12 + n, apiOf(12 + n, library)]),
);
const [OLDEST, NEWEST] = [Math.min(...APIS.keys()), Math.max(...APIS.keys())];

const versions = new WeakMap<Connection, number>();

/** The newest version that this broker and this program know. @throws BrokerError, or the library's error */
const versionFor = async (connection: Connection): Promise<number> => {
  const known = versions.get(connection);
  if (known !== undefined) return known;
  const { apiKeys } = await apiVersionsV3.api.async(connection, 'order-events', '1');
  const { minVersion = 0, maxVersion = 0 } = apiKeys.find(({ apiKey }) => apiKey === FETCH) ?? {};
  const version = Math.min(NEWEST, maxVersion);
  if (version < Math.max(OLDEST, minVersion))
    throw new BrokerError(
      'UNAVAILABLE',
      `the broker answers Fetch ${minVersion} to ${maxVersion}; this program asks ${OLDEST} to ${NEWEST}`,
    );
  versions.set(connection, version);
  return version;
};

/** Which versions this program knows, oldest first. */
export const FETCH_VERSIONS: readonly number[] = [...APIS.keys()];

export interface FetchRequest {
  readonly topic: Pick<Topic, 'name' | 'id'>;
  readonly positions: readonly { readonly partition: number; readonly next: number }[];
  /** How long the leader holds a fetch that finds nothing. */
  readonly waitMs: number;
  /** For each partition and in all, as sent. */
  readonly partitionBytes: number;
  readonly bytes: number;
  /** Left out: the newest that both know. */
  readonly version?: number;
}

/** Outside any session (KIP-227). */
const NO_SESSION = { id: 0, epoch: -1 };
/** The leader holds back the records of open transactions. */
const READ_COMMITTED = 1;

/** @throws BrokerError if the broker is too old, or the library's error */
export const fetchFrom = async (connection: Connection, request: FetchRequest): Promise<PartitionAnswer[]> => {
  const { topic, waitMs, bytes } = request;
  const version = request.version ?? (await versionFor(connection));
  const partitions = request.positions.map(({ partition, next }) => ({
    partition,
    fetchOffset: BigInt(next),
    partitionMaxBytes: request.partitionBytes,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
  }));
  const topics = [{ topicId: version < FIRST_WITH_ID ? topic.name : topic.id, partitions }];
  const { id, epoch } = NO_SESSION;
  const api = APIS.get(version);
  if (api === undefined) throw new RangeError(`Fetch ${version} is not known`);
  return api.async(connection, waitMs, 1, bytes, READ_COMMITTED, id, epoch, topics, [], '');
};
