import type { LogRecord } from '#kafka_common/broker.ts';
import { headerName } from '#kafka_common/header_names.ts';
import type { RecordBatch } from './record_batches.ts';
import { isVarintAt, KEPT_FIELD_BYTES, readField, readStartOfField, readVarint } from './varints.ts';

/** A larger record, decompressed, is handed on only in part. */
const MAX_RECORD_BYTES = 1_048_576;
/** What is read of such a record: its key can be as long as the part of the value that is kept. */
const PREFIX_BYTES = 2 * KEPT_FIELD_BYTES + 64;
/** About what a record needs in memory beside its bytes. */
const RECORD_OVERHEAD_BYTES = 200;
/** The most milliseconds that a `Date` can be away from 1970 (ECMAScript, time values). */
const MAX_TIMESTAMP = 8.64e15;

export type RecordParser = ReturnType<typeof createRecordParser>;

/**
 * Parses the records of one batch from its decompressed bytes, which come in pieces of any size.
 * @param from records before this offset are left out
 * @param maxBytes parsing stops once so many bytes of records are kept
 */
export const createRecordParser = (batch: RecordBatch, from: number, maxBytes: number) => {
  const records: LogRecord[] = [];
  let pending: Buffer = Buffer.alloc(0);
  let skip = 0;
  let parsed = 0;
  let lastOffset = Number(batch.firstOffset) - 1;
  let keptBytes = 0;

  /** @returns the bytes that the record took, or 0 if it is not complete */
  const parseAt = (at: number): number => {
    if (!isVarintAt(pending, at)) return 0;
    const cursor = { bytes: pending, at };
    const length = readVarint(cursor);
    if (length < 1) throw new RangeError(`a record has a length of ${length}`);
    const isOversized = length > MAX_RECORD_BYTES;
    const wanted = isOversized ? PREFIX_BYTES : length;
    const end = cursor.at + wanted;
    if (pending.length < end) return 0;
    const bytes = pending.subarray(cursor.at, end);
    const record = isOversized ? oversizedRecord(batch, bytes, length) : wholeRecord(batch, bytes);
    if (record.offset <= lastOffset || record.offset > batch.lastOffset)
      throw new RangeError(`a record has offset ${record.offset} after ${lastOffset}`);
    lastOffset = record.offset;
    parsed += 1;
    skip = length - wanted;
    if (record.offset >= from) {
      records.push(record);
      keptBytes += wanted + RECORD_OVERHEAD_BYTES;
    }
    return end - at;
  };

  const isDone = (): boolean => parsed >= batch.recordCount || keptBytes >= maxBytes;

  return {
    records,
    /** Nothing more is wanted: all records are parsed, or enough bytes are kept. */
    isDone,
    isComplete: (): boolean => parsed >= batch.recordCount,
    keptBytes: (): number => keptBytes,
    push(piece: Buffer): void {
      let at = Math.min(skip, piece.length);
      skip -= at;
      if (skip > 0 || isDone()) return;
      pending = pending.length === 0 ? piece : Buffer.concat([pending, piece.subarray(at)]);
      if (pending !== piece) at = 0;
      while (!isDone()) {
        const taken = parseAt(at);
        if (taken === 0) break;
        const skipped = Math.min(skip, pending.length - at - taken);
        at += taken + skipped;
        skip -= skipped;
      }
      pending = pending.subarray(at);
    },
  };
};

const wholeRecord = (batch: RecordBatch, bytes: Buffer): LogRecord => {
  const cursor = { bytes, at: 1 };
  const timestamp = timestampOf(batch, readVarint(cursor));
  const offset = Number(batch.firstOffset) + readVarint(cursor);
  const key = readField(cursor);
  const value = readField(cursor);
  const headers: [string, Buffer | null][] = [];
  for (let count = readVarint(cursor); count > 0; count--) {
    const name = readField(cursor);
    headers.push([name === null ? '' : headerName(name), readField(cursor)]);
  }
  return { offset, timestamp, key, value, headers };
};

/** Key and value are cut to what is kept. Its headers are left out: they come after the value. */
const oversizedRecord = (batch: RecordBatch, bytes: Buffer, length: number): LogRecord => {
  const cursor = { bytes, at: 1 };
  const timestamp = timestampOf(batch, readVarint(cursor));
  const offset = Number(batch.firstOffset) + readVarint(cursor);
  const key = readStartOfField(cursor);
  const value = readStartOfField(cursor);
  const unreadable = `the record has ${length} bytes, more than ${MAX_RECORD_BYTES}; its value was cut`;
  return { offset, timestamp, key, value, headers: [], unreadable };
};

/** Any producer may write any 64-bit number. A `Date` of what is returned is valid. */
const timestampOf = ({ appendTime, firstTimestamp }: RecordBatch, delta: number): number =>
  Math.min(
    MAX_TIMESTAMP,
    Math.max(-MAX_TIMESTAMP, appendTime === null ? Number(firstTimestamp) + delta : Number(appendTime)),
  );

/** One record for a batch that cannot be parsed, so that reading goes on behind it. */
export const unreadableBatch = (batch: RecordBatch, offset: number, reason: string): LogRecord => ({
  offset,
  timestamp: timestampOf(batch, 0),
  key: null,
  value: Buffer.from(batch.payload.subarray(0, KEPT_FIELD_BYTES)),
  headers: [],
  unreadable: `the record batch of ${batch.payload.length} bytes, offsets ${batch.firstOffset} to ${batch.lastOffset}, cannot be read: ${reason}`,
});
