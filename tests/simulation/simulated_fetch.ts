import type { LogRecord, Topic } from '#kafka_common/broker.ts';
import { committedBatches } from '#kafka_common/kafka/wire/committed_batches.ts';
import type { Fetched } from './cluster.ts';
import { ask } from './nodes.ts';
import { batchOf, type FetchedRecords } from './partition_log.ts';
import { type Client, valueOf } from './simulated_client.ts';

/** How long a reader waits that is held up by an open transaction, and then asks again. */
export const HELD_UP_MS = 200;

export type CommittedRecords =
  | {
      readonly kind: 'records';
      /** Empty if all are aborted, or if an open transaction holds up the reader at `next`. */
      readonly records: readonly LogRecord[];
      readonly next: number;
      readonly end: number;
    }
  | Exclude<Fetched, FetchedRecords>;

/** Fetches from the leader, and leaves out what the product's reader of Kafka leaves out. @throws BrokerError `UNAVAILABLE` */
export const fetchCommitted = async (
  { cluster, wire, leader }: Pick<Client, 'cluster' | 'wire' | 'leader'>,
  topic: Topic,
  partition: number,
  from: number,
  timeoutMs: number,
): Promise<CommittedRecords> => {
  const node = leader(topic, partition);
  if (node === undefined) return { kind: 'not_leader' };
  const reply = await ask<Fetched>(wire, node, timeoutMs, (answer) =>
    cluster.fetch(node, topic, partition, from, answer),
  );
  const fetched = valueOf(reply);
  return fetched.kind === 'records' ? committedIn(fetched, from) : fetched;
};

const committedIn = ({ records, abortedTransactions, end }: FetchedRecords, from: number): CommittedRecords => ({
  kind: 'records',
  records: Array.from(committedBatches(records.map(batchOf), abortedTransactions)).flatMap(
    ({ firstOffset }) => records[Number(firstOffset) - from] ?? [],
  ),
  next: from + records.length,
  end,
});
