import type { Headers, Message } from '#kafka_common/broker.ts';
import { isHeaderList } from '#kafka_common/header_list.ts';
import type { RoutedMessage } from './fates.ts';

/** Kafka limits the bytes of a record batch (`message.max.bytes`, 1 MiB by default). A send stays below it for each partition. */
const MAX_PARTITION_BYTES = 900_000;

/** The most that a record needs beside key, value and headers. */
const RECORD_OVERHEAD_BYTES = 64;

/** Splits the messages, in order, so that no chunk has more for one partition than a record batch may hold. */
export function* chunksOf(messages: readonly RoutedMessage[]): Generator<RoutedMessage[]> {
  let chunk: RoutedMessage[] = [];
  let bytes = new Map<number, number>();
  for (const routed of messages) {
    const size = sizeOf(routed.message);
    const sum = (bytes.get(routed.partition) ?? 0) + size;
    if (sum > MAX_PARTITION_BYTES && sum > size) {
      yield chunk;
      chunk = [];
      bytes = new Map([[routed.partition, size]]);
    } else {
      bytes.set(routed.partition, sum);
    }
    chunk.push(routed);
  }
  if (chunk.length > 0) yield chunk;
}

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
