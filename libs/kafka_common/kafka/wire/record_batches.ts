/** A record batch of format 2 (Kafka protocol), its records still in bytes. */
export interface RecordBatch {
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
  readonly producerId: bigint;
  readonly isTransactional: boolean;
  /** Its record ends a transaction. It is not a message. */
  readonly isControl: boolean;
  /** 0 for none, 1 gzip, 2 snappy, 3 LZ4, 4 Zstandard. */
  readonly compression: number;
  readonly firstTimestamp: bigint;
  /** The broker's own time for all records (`message.timestamp.type=LogAppendTime`), or null. */
  readonly appendTime: bigint | null;
  readonly recordCount: number;
  /** The records, compressed or not. */
  readonly payload: Buffer;
  /** False for the formats before 2, which Kafka 4 does not store any more. */
  readonly isKnownFormat: boolean;
}

/** First offset and length, which the length does not count. */
const HEAD_BYTES = 12;
/** Up to the records. */
const HEADER_BYTES = 61;
/** All formats have their number here, and the first offset at the start. */
const FORMAT_AT = 16;

const COMPRESSION = 0b111;
const HAS_APPEND_TIME = 1 << 3;
const IS_TRANSACTIONAL = 1 << 4;
const IS_CONTROL = 1 << 5;

/**
 * The complete batches of a fetch: its last one may be cut. They end before a batch whose offsets cannot be, because
 * they are not after those of the batch before it, or are not exact numbers.
 */
export function* recordBatchesOf(bytes: Buffer): Generator<RecordBatch> {
  let at = 0;
  let lastOffset = -1n;
  while (at + FORMAT_AT < bytes.length) {
    const end = at + HEAD_BYTES + bytes.readInt32BE(at + 8);
    const isKnownFormat = bytes.readInt8(at + FORMAT_AT) === 2;
    if (end > bytes.length || end <= at + (isKnownFormat ? HEADER_BYTES - 1 : FORMAT_AT)) return;
    const batch = isKnownFormat ? recordBatchOf(bytes.subarray(at, end)) : oldBatchOf(bytes.subarray(at, end));
    if (batch.firstOffset <= lastOffset || batch.lastOffset < batch.firstOffset) return;
    if (batch.lastOffset >= Number.MAX_SAFE_INTEGER) return;
    yield batch;
    lastOffset = batch.lastOffset;
    at = end;
  }
}

const recordBatchOf = (bytes: Buffer): RecordBatch => {
  const attributes = bytes.readInt16BE(21);
  const firstOffset = bytes.readBigInt64BE(0);
  return {
    firstOffset,
    lastOffset: firstOffset + BigInt(bytes.readInt32BE(23)),
    producerId: bytes.readBigInt64BE(43),
    isTransactional: (attributes & IS_TRANSACTIONAL) !== 0,
    isControl: (attributes & IS_CONTROL) !== 0,
    compression: attributes & COMPRESSION,
    firstTimestamp: bytes.readBigInt64BE(27),
    appendTime: (attributes & HAS_APPEND_TIME) === 0 ? null : bytes.readBigInt64BE(35),
    recordCount: bytes.readInt32BE(57),
    payload: bytes.subarray(HEADER_BYTES),
    isKnownFormat: true,
  };
};

/** One message of a format before 2. If it holds others, its offset is that of the last one, or counts within it. */
const oldBatchOf = (bytes: Buffer): RecordBatch => {
  const offset = bytes.readBigInt64BE(0);
  return {
    firstOffset: offset,
    lastOffset: offset,
    producerId: -1n,
    isTransactional: false,
    isControl: false,
    compression: 0,
    firstTimestamp: -1n,
    appendTime: null,
    recordCount: 1,
    payload: bytes.subarray(FORMAT_AT),
    isKnownFormat: false,
  };
};
