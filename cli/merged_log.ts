import type { Broker, LogRecord, Positions, Topic } from '#kafka_common/broker.ts';
import { endsOf } from '#kafka_common/ends_of.ts';

interface LogEntry {
  readonly partition: number;
  readonly record: LogRecord;
}

/** Partitions that are read at the same time. Each holds one batch in memory and, on Kafka, one connection. */
const READERS = 32;

type Entries = AsyncGenerator<LogEntry, void>;

/**
 * Reads the records of all partitions, merged by their time. This comes as close to the order in which they were
 * written as a log allows. Within a partition the order is that of the log. If there are more partitions than readers,
 * the partitions of one reader follow one another.
 * @param from the first offset of each partition
 * @param until the offset after the last one of each partition, not above the log's end
 * @throws BrokerError
 */
export async function* readMerged(
  broker: Pick<Broker, 'read' | 'bounds'>,
  topic: Topic,
  from: Positions,
  until: Positions,
): Entries {
  const ends = await endsOf(broker, topic.name);
  const wanted = Array.from(until.keys()).filter(
    (partition) => (until.get(partition) ?? 0) > (from.get(partition) ?? 0),
  );
  const readers = Map.groupBy(wanted, (partition) => partition % READERS)
    .values()
    .map((partitions) => readPartitions(broker, topic, partitions, from, until, ends))
    .toArray();
  try {
    const heads = new Map<Entries, LogEntry>();
    const advance = async (reader: Entries): Promise<void> => {
      const { done, value } = await reader.next();
      if (done) heads.delete(reader);
      else heads.set(reader, value);
    };
    await Promise.all(readers.map(advance));
    while (heads.size > 0) {
      const [reader, entry] = [...heads].reduce((first, head) =>
        head[1].record.timestamp < first[1].record.timestamp ? head : first,
      );
      yield entry;
      await advance(reader);
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.return()));
  }
}

async function* readPartitions(
  broker: Pick<Broker, 'read'>,
  topic: Topic,
  partitions: readonly number[],
  from: Positions,
  until: Positions,
  ends: Positions,
): Entries {
  const positions = new Map([
    // The other partitions are read from their end: nothing comes from them.
    ...ends,
    ...partitions.map((partition) => [partition, from.get(partition) ?? 0] as const),
  ]);
  const left = new Set(partitions);
  for await (const { partition, records, next } of broker.read(topic.name, positions)) {
    if (!left.has(partition)) continue;
    const end = until.get(partition) ?? 0;
    for (const record of records) if (record.offset < end) yield { partition, record };
    if (next >= end) left.delete(partition);
    if (left.size === 0) return;
  }
}
