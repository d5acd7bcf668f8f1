import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ClusterMetadata,
  type ConnectionPool,
  type Consumer,
  ProtocolError,
  protocolErrorsCodesById,
} from '@platformatic/kafka';
import { type Batch, BrokerError, type Topic } from '#kafka_common/broker.ts';
import { fetchFrom, type PartitionAnswer } from './wire/fetch_api.ts';
import { readRecords } from './wire/read_records.ts';

/** The most that one fetch brings into memory, for each partition and in all, as sent. */
const PARTITION_BYTES = 524_288;
const FETCH_BYTES = 2_097_152;

/** The leader has moved: the next fetch goes by fresh metadata. */
const LEADER_MOVED = ['NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH'];
const LEADER_MOVED_WAIT_MS = 100;

export interface FetchPosition {
  readonly partition: number;
  readonly next: number;
}

/** What a leader has from some positions on. */
export interface Fetched {
  /** At most one for each partition, without records before its position. */
  readonly batches: readonly Batch[];
  /** The partitions whose position the log does not hold: retention has passed it, or the log was cut. */
  readonly outOfRange: readonly number[];
  /** A partition has another leader now. The known metadata is fresh again. */
  readonly leaderMoved: boolean;
}

export interface FetchClients {
  readonly consumer: Consumer;
  readonly fetchPool: ConnectionPool;
}

/** Fetches from one leader. @param waitMs how long the leader holds a fetch that finds nothing @throws the library's error */
export const fetchRecords = async (
  { consumer, fetchPool }: FetchClients,
  leader: number,
  topic: Topic,
  positions: readonly FetchPosition[],
  waitMs: number,
): Promise<Fetched> => {
  const { brokers } = await consumer.metadata({ topics: [topic.name] });
  const broker = brokers.get(leader);
  if (broker === undefined) throw new BrokerError('UNAVAILABLE', `the address of the leader ${leader} is not known`);
  const answers = await fetchFrom(await fetchPool.get(broker), {
    topic,
    positions,
    waitMs,
    partitionBytes: PARTITION_BYTES,
    bytes: FETCH_BYTES,
  });
  const fetched = await fetchedFrom(answers, topic, positions);
  if (fetched.leaderMoved) {
    await sleep(LEADER_MOVED_WAIT_MS);
    await consumer.metadata({ topics: [topic.name], forceUpdate: true });
  }
  return fetched;
};

const fetchedFrom = async (
  answers: readonly PartitionAnswer[],
  topic: Topic,
  positions: readonly FetchPosition[],
): Promise<Fetched> => {
  const batches: Batch[] = [];
  const outOfRange: number[] = [];
  let leaderMoved = false;
  for (const answer of answers) {
    const from = positions.find(({ partition }) => partition === answer.partition)?.next;
    if (from === undefined) continue;
    const errorName = protocolErrorsCodesById[answer.errorCode] ?? '';
    if (errorName === 'OFFSET_OUT_OF_RANGE') outOfRange.push(answer.partition);
    else if (LEADER_MOVED.includes(errorName)) leaderMoved = true;
    else if (answer.errorCode !== 0) throw new ProtocolError(answer.errorCode);
    else batches.push(...(await batchesOf(answer, topic, from)));
  }
  return { batches, outOfRange, leaderMoved };
};

/** A batch without records comes if there are some, but an open transaction or the limits of the fetch hold them back. */
const batchesOf = async (answer: PartitionAnswer, topic: Topic, from: number): Promise<Batch[]> => {
  const { partition, highWatermark, lastStableOffset, records: bytes, abortedTransactions } = answer;
  const read = await readRecords(bytes, abortedTransactions, from);
  const { records, next } = read ?? { records: [], next: from };
  if (next === from && highWatermark <= from) return [];
  const isHeldUp = lastStableOffset < highWatermark && next >= lastStableOffset;
  return [{ topic, partition, records, next, end: Math.max(next, Number(highWatermark)), isHeldUp }];
};

/** The broker that leads a partition, or -1 if there is none. */
export const leaderIn = (metadata: ClusterMetadata, topic: Topic, partition: number): number =>
  metadata.topics.get(topic.name)?.partitions[partition]?.leader ?? -1;
