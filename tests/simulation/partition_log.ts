import type { LogRecord } from '#kafka_common/broker.ts';
import type { AbortedTransaction } from '#kafka_common/kafka/wire/committed_batches.ts';
import type { RecordBatch } from '#kafka_common/kafka/wire/record_batches.ts';

/** A transaction of another producer. Its records exist for a reader once it is committed. */
export interface Transaction {
  readonly producerId: bigint;
  state: 'open' | 'committed' | 'aborted';
}

export interface StoredRecord extends LogRecord {
  /** `performance.now()` when it was written to the log. */
  readonly writtenAt: number;
  /** Null for a record outside any transaction. */
  readonly transaction: Transaction | null;
  /** Its record ends the transaction. It has an offset, but it is not a message. */
  readonly isMarker: boolean;
}

/** What a leader answers a fetch with, as in Kafka: all records, and which transactions among them are aborted. */
export interface FetchedRecords {
  readonly records: readonly StoredRecord[];
  readonly abortedTransactions: readonly AbortedTransaction[];
  /** One past the last offset, records of open transactions included. */
  readonly end: number;
}

/** True if the record exists for a reader. */
export const isCommitted = ({ transaction, isMarker }: StoredRecord): boolean =>
  !isMarker && (transaction === null || transaction.state === 'committed');

/** The log of one partition. The offset of a record is its index. */
export const createPartitionLog = () => {
  const records: StoredRecord[] = [];
  /** The first offset of each open transaction. */
  const open = new Map<Transaction, number>();
  const aborted: { readonly producerId: bigint; readonly first: number; readonly last: number }[] = [];

  /** One past the last offset that can be read: no open transaction lies below it. */
  const stableOffset = (): number => Math.min(records.length, ...open.values());

  return {
    records: records as readonly StoredRecord[],

    /** @returns its offset */
    append: (record: Omit<StoredRecord, 'offset'>): number => {
      const offset = records.length;
      records.push({ ...record, offset });
      if (record.transaction !== null && !open.has(record.transaction)) open.set(record.transaction, offset);
      return offset;
    },

    /** Writes the marker that ends the transaction, if the partition has records of it. */
    end: (transaction: Transaction, timestamp: number): void => {
      const first = open.get(transaction);
      if (first === undefined) return;
      open.delete(transaction);
      const offset = records.length;
      if (transaction.state === 'aborted') aborted.push({ producerId: transaction.producerId, first, last: offset });
      const marker = { key: null, value: null, headers: [], isMarker: true };
      records.push({ ...marker, offset, timestamp, transaction, writtenAt: performance.now() });
    },

    stableOffset,

    /** At most `count` records that can be read. */
    from: (from: number, count: number): FetchedRecords => {
      const to = Math.min(stableOffset(), from + count);
      return {
        records: records.slice(from, to),
        abortedTransactions: aborted
          .filter(({ first, last }) => last >= from && first < to)
          .map(({ producerId, first }) => ({ producerId, firstOffset: BigInt(first) })),
        end: records.length,
      };
    },
  };
};

export type PartitionLog = ReturnType<typeof createPartitionLog>;

const NO_PRODUCER = -1n;
const NO_PAYLOAD = Buffer.alloc(0);
/** Control records (KIP-98): length, attributes, time and offset deltas, key length, then version and type. */
const ABORT_MARKER = Buffer.from([18, 0, 0, 0, 8, 0, 0, 0, 0, 0]);
const COMMIT_MARKER = Buffer.from([18, 0, 0, 0, 8, 0, 0, 0, 1, 0]);

/** The record as a batch of its own, as the reader of Kafka's bytes knows it. */
export const batchOf = ({ offset, timestamp, transaction, isMarker }: StoredRecord): RecordBatch => ({
  firstOffset: BigInt(offset),
  lastOffset: BigInt(offset),
  producerId: transaction?.producerId ?? NO_PRODUCER,
  isTransactional: transaction !== null,
  isControl: isMarker,
  compression: 0,
  firstTimestamp: BigInt(timestamp),
  appendTime: null,
  recordCount: 1,
  payload: isMarker ? (transaction?.state === 'aborted' ? ABORT_MARKER : COMMIT_MARKER) : NO_PAYLOAD,
  isKnownFormat: true,
});
