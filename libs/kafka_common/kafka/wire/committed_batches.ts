import type { RecordBatch } from './record_batches.ts';

/** As a fetch answers it: records of the producer from `firstOffset` on are aborted, up to its next abort marker. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** The type of a control record, in its key after the version (KIP-98). */
const ABORT = 0;

/**
 * The batches whose records exist for a reader: neither aborted nor control batches. As in the Java client
 * (`CompletedFetch`), a producer is aborted from a transaction's first offset on, wherever the fetch begins or ends.
 * @param batches consecutive, in offset order
 */
export function* committedBatches(
  batches: Iterable<RecordBatch>,
  abortedTransactions: readonly AbortedTransaction[],
): Generator<RecordBatch> {
  const waiting = abortedTransactions.toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  const aborted = new Set<bigint>();
  for (const batch of batches) {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= batch.lastOffset) {
      aborted.add(waiting[0].producerId);
      waiting.shift();
    }
    if (batch.isControl) {
      if (controlTypeOf(batch) === ABORT) aborted.delete(batch.producerId);
    } else if (!batch.isTransactional || !aborted.has(batch.producerId)) {
      yield batch;
    }
  }
}

/**
 * A control batch has one record, not compressed: length (varint), attributes (1 byte), time and offset deltas
 * (varints), key length (varint), then the key with version and type, two bytes each.
 */
const controlTypeOf = ({ payload }: RecordBatch): number | null => {
  let at = skipVarint(payload, 0) + 1;
  for (let skipped = 0; skipped < 3; skipped++) at = skipVarint(payload, at);
  return at + 4 <= payload.length ? payload.readInt16BE(at + 2) : null;
};

const skipVarint = (bytes: Buffer, from: number): number => {
  let at = from;
  while ((bytes[at] ?? 0) >= 0x80) at += 1;
  return at + 1;
};
