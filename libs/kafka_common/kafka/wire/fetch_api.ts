import { createAPI, fetchV17, type Reader, ResponseError } from '@platformatic/kafka';
import type { AbortedTransaction } from './committed_batches.ts';

/**
 * Fetch of version 17 (Kafka protocol) with the library's request and its own answer. The library decompresses record
 * batches while it parses, without a limit, and drops the list of aborted transactions. Here the records stay bytes.
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
const VERSION = 17;
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

const parseAnswer = (_correlationId: number, _key: number, _version: number, reader: Reader): PartitionAnswer[] => {
  reader.readInt32(); // throttle time
  const errorCode = reader.readInt16();
  reader.readInt32(); // session
  // Both readers skip the tagged fields that end each entry.
  const topics = reader.readArray((r) => {
    r.readUUID();
    return r.readArray(readPartition);
  });
  if (errorCode !== 0) throw new ResponseError(FETCH, VERSION, { '': [errorCode, null] }, topics);
  return topics.flat();
};

export const fetchApi = createAPI<Parameters<typeof fetchV17.createRequest>, PartitionAnswer[]>(
  FETCH,
  VERSION,
  fetchV17.createRequest,
  parseAnswer,
);
