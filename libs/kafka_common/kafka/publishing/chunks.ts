import type { Headers, Message } from '#kafka_common/broker.ts';
import { isHeaderList } from '#kafka_common/header_list.ts';
import type { RoutedMessage } from './fates.ts';

/** Kafka limits the bytes of a record batch (`message.max.bytes`, 1 MiB by default). A send stays below it for each partition. */
export const MAX_PARTITION_BYTES = 900_000;

/** The most that a record needs beside key, value and headers. */
const RECORD_OVERHEAD_BYTES = 64;

/**
 * Takes, in order, as many messages as one send may have.
 * @param pending loses what is taken
 * @param partitionBytes the most for one partition, unless a single message is larger
 */
export const takeChunk = <M extends RoutedMessage>(pending: M[], partitionBytes: number): M[] => {
  const bytes = new Map<number, number>();
  const full = new Set<number>();
  const chunk: M[] = [];
  const left: M[] = [];
  for (const routed of pending) {
    const { partition, message } = routed;
    const size = sizeOf(message);
    const sum = bytes.get(partition) ?? 0;
    if (full.has(partition) || (sum > 0 && sum + size > partitionBytes)) {
      full.add(partition);
      left.push(routed);
      continue;
    }
    bytes.set(partition, sum + size);
    chunk.push(routed);
  }
  pending.splice(0, pending.length, ...left);
  return chunk;
};

/** The bytes of the largest partition in a chunk. */
export const largestPartition = (chunk: readonly RoutedMessage[]): number =>
  Math.max(
    ...Map.groupBy(chunk, ({ partition }) => partition)
      .values()
      .map((share) => share.reduce((sum, { message }) => sum + sizeOf(message), 0)),
  );

/** Of the length of a name or a value. */
const LENGTH_BYTES = 5;

const sizeOf = ({ key, value, headers }: Message): number =>
  sizeOfHeaders(headers) + Buffer.byteLength(key) + Buffer.byteLength(value) + RECORD_OVERHEAD_BYTES;

const sizeOfHeaders = (headers: Headers): number => {
  let size = 0;
  if (isHeaderList(headers)) {
    for (const [name, content] of headers) size += Buffer.byteLength(name) + (content?.length ?? 0) + 2 * LENGTH_BYTES;
  } else {
    for (const [name, text] of Object.entries(headers)) size += name.length + Buffer.byteLength(text) + 4;
  }
  return size;
};
