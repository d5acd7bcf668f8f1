import type { LogRecord } from '#kafka_common/broker.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { type AbortedTransaction, committedBatches } from './committed_batches.ts';
import { decompressed } from './decompress.ts';
import { type RecordBatch, recordBatchesOf } from './record_batches.ts';
import { createRecordParser, type RecordParser, unreadableBatch } from './record_parser.ts';

/** One fetch becomes at most about so many bytes in memory. What is left over is fetched again. */
const MAX_READ_BYTES = 8_388_608;

export interface ReadRecords {
  readonly records: readonly LogRecord[];
  /** The offset to go on from. */
  readonly next: number;
}

/** The committed records of fetched bytes from an offset on. Null if the bytes hold nothing from there on. Never throws. */
export const readRecords = async (
  bytes: Buffer,
  aborted: readonly AbortedTransaction[],
  from: number,
): Promise<ReadRecords | null> => {
  const batches = [...recordBatchesOf(bytes)];
  const last = batches.at(-1);
  if (last === undefined || last.lastOffset < from) return null;
  const records: LogRecord[] = [];
  let freeBytes = MAX_READ_BYTES;
  for (const batch of committedBatches(batches, aborted)) {
    if (batch.lastOffset < from) continue;
    const parser = createRecordParser(batch, from, freeBytes);
    const failure = await parse(parser, batch);
    records.push(...parser.records);
    const reached = (parser.records.at(-1)?.offset ?? Math.max(from, Number(batch.firstOffset)) - 1) + 1;
    if (failure !== null) {
      if (reached <= batch.lastOffset) records.push(unreadableBatch(batch, reached, failure));
    } else if (!parser.isComplete()) return { records, next: reached };
    freeBytes -= parser.keptBytes();
    if (freeBytes <= 0) return { records, next: Number(batch.lastOffset) + 1 };
  }
  return { records, next: Number(last.lastOffset) + 1 };
};

/** @returns why the batch cannot be read to its end, or null */
const parse = async (parser: RecordParser, batch: RecordBatch): Promise<string | null> => {
  if (!batch.isKnownFormat) return 'its format is older than 2';
  try {
    if (batch.compression === 0) parser.push(batch.payload);
    else
      for await (const piece of decompressed(batch.compression, batch.payload)) {
        parser.push(piece);
        if (parser.isDone()) break;
      }
    return parser.isDone() ? null : 'it ends before its last record';
  } catch (error) {
    return reasonOf(error);
  }
};
