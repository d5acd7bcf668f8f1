import {
  type ConnectionPool,
  type Consumer,
  protocolErrors,
  type RecordsBatch,
  ResponseError,
} from '@platformatic/kafka';
import type { Batch, LogRecord, Topic } from '#kafka_common/broker.ts';

/** The most that one fetch brings into memory, for each partition and in all. */
const PARTITION_BYTES = 524_288;
const FETCH_BYTES = 2_097_152;

/**
 * Bits of a record batch's attributes (Kafka protocol, record batch). `LogAppendTime` is a topic's
 * `message.timestamp.type`: the broker's own time then stands in the batch, once for all records.
 */
const HAS_APPEND_TIME = 1 << 3;
/** Control records end transactions. They are not messages. */
const IS_CONTROL = 1 << 5;

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

export interface FetchPosition {
  readonly partition: number;
  readonly next: number;
}

/** Fetches from one leader. @param waitMs how long the leader holds a fetch that finds nothing */
export const fetchRecords = (
  consumer: Consumer,
  connectionPool: ConnectionPool,
  leader: number,
  topic: Topic,
  positions: readonly FetchPosition[],
  waitMs: number,
): Promise<FetchResponse> => {
  const partitions = positions.map(({ partition, next }) => ({
    partition,
    fetchOffset: BigInt(next),
    partitionMaxBytes: PARTITION_BYTES,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
  }));
  return consumer.fetch({
    node: leader,
    connectionPool,
    topics: [{ topicId: topic.id, partitions }],
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    maxWaitTime: waitMs,
  });
};

/** The batches of an answer that move a position on: at most one for each partition, without records before the position. */
export const batchesOf = (response: FetchResponse, topic: Topic, positions: readonly FetchPosition[]): Batch[] => {
  const nextOf = new Map(positions.map(({ partition, next }) => [partition, next]));
  return response.responses.flatMap(({ partitions }) =>
    partitions.flatMap(({ partitionIndex, records: recordBatches, lastStableOffset }) => {
      const from = nextOf.get(partitionIndex);
      const last = recordBatches?.at(-1);
      if (from === undefined || !recordBatches || !last) return [];
      const next = Number(last.firstOffset) + last.lastOffsetDelta + 1;
      if (next <= from) return [];
      const records = recordBatches.flatMap(recordsOf).filter(({ offset }) => offset >= from);
      return [{ topic, partition: partitionIndex, records, next, end: Math.max(next, Number(lastStableOffset)) }];
    }),
  );
};

const recordsOf = (batch: RecordsBatch): LogRecord[] =>
  (batch.attributes & IS_CONTROL) !== 0
    ? []
    : batch.records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
        offset: Number(batch.firstOffset) + offsetDelta,
        timestamp: Number(
          (batch.attributes & HAS_APPEND_TIME) !== 0 ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta,
        ),
        key,
        value,
        headers: headers.map(([name, content]) => [name?.toString() ?? '', content] as const),
      }));

/** The partitions whose position the log does not hold: retention has passed it, or the log was cut. */
export const outOfRangePartitions = (error: unknown): number[] =>
  error instanceof ResponseError && 'response' in error
    ? ((error.response as FetchResponse).responses ?? []).flatMap(({ partitions }) =>
        partitions.flatMap(({ partitionIndex, errorCode }) =>
          errorCode === protocolErrors['OFFSET_OUT_OF_RANGE']?.code ? [partitionIndex] : [],
        ),
      )
    : [];
