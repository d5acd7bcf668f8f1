import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { SQLOutputValue } from 'node:sqlite';
import { inTransaction } from '#service_common/sqlite/transactions.ts';
import type { Batch, Fate, HeaderList, Headers, LogRecord, Message, Topic } from '#kafka_common/broker.ts';
import { headerList, isHeaderList } from '#kafka_common/header_list.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { LOG_SCHEMA, prepareLogStatements } from './log_tables.ts';
import { openSharedFile, orUnavailable } from './shared_file.ts';

/** A larger message is refused. About the default of Kafka's `message.max.bytes`. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const MAX_BATCH_BYTES = 1024 * 1024;

/** Short, because writes are tried again (`write_queue.ts`). */
const LOCK_WAIT_MS = 50;

export interface Bounds {
  readonly start: number;
  readonly end: number;
}

export const EMBEDDED_LOG_FILE = 'broker.sqlite';

const LOG_FILE = {
  name: EMBEDDED_LOG_FILE,
  applicationId: 0x4f45_4c4f,
  schemaVersion: 1,
  schema: LOG_SCHEMA,
  checkpointedElsewhere: true,
};

export type EmbeddedLog = ReturnType<typeof openEmbeddedLog>;

/**
 * The log of the embedded broker: topics and records in `broker.sqlite`. Records are only ever added, so the end of a
 * partition is one past its greatest offset. Every call is synchronous; all but `append` throw BrokerError.
 * @throws StoreError `STORE_REFUSED` if the file cannot be used
 */
export const openEmbeddedLog = (directory: string, clock: () => number, openingMs?: number) => {
  const db = openSharedFile({ directory, ...LOG_FILE, openingMs }, LOCK_WAIT_MS);
  const statements = prepareLogStatements(db);

  const findTopic = (name: string): Topic | null => {
    const row = statements.findTopic.get(name);
    return row === undefined ? null : { name, id: String(row['id']), partitions: Number(row['partitions']) };
  };

  const bounds = (topic: Topic, partition: number): Bounds => {
    const row = statements.bounds.get({ topic: topic.id, partition });
    return { start: Number(row?.['start']), end: Number(row?.['end']) };
  };

  const appendOne = (topic: Topic, message: Message, timestamp: number): Fate => {
    const { key, value, headers, bytes } = encode(message);
    if (bytes > MAX_MESSAGE_BYTES) return notWritten(`${bytes} bytes are more than ${MAX_MESSAGE_BYTES}`, 'message');
    const partition = partitionOf(message.key, topic.partitions);
    const row = statements.append.get({ topic: topic.id, partition, timestamp, key, value, headers });
    return { kind: 'acknowledged', partition, offset: Number(row?.['offset']) };
  };

  const addTopic = (name: string, partitions: number): Topic =>
    inTransaction(db, () => {
      const existing = findTopic(name);
      if (existing !== null) return existing;
      const topic = { name, id: randomUUID(), partitions };
      statements.addTopic.run(topic.name, topic.id, topic.partitions);
      return topic;
    });

  const readBatch = (topic: Topic, partition: number, from: number, until: number): Batch | null => {
    const records = recordsOf(statements.read.iterate({ topic: topic.id, partition, from, until }));
    const last = records.at(-1);
    if (last === undefined) return null;
    return { topic, partition, records, next: last.offset + 1, end: bounds(topic, partition).end };
  };

  return {
    findTopic: orUnavailable(findTopic),
    bounds: orUnavailable(bounds),
    // A topic that is there needs no write lock, which another process may hold for long.
    ensureTopic: orUnavailable((name: string, partitions: number) => findTopic(name) ?? addTopic(name, partitions)),

    /** Writes and syncs, so success means that a message can be appended now. False if there is no such topic. */
    touch: orUnavailable((name: string): boolean => statements.touchTopic.run(name).changes === 1),

    /** Adds the messages in one transaction and returns the fate of each. @throws what SQLite throws */
    append: (topic: Topic, messages: readonly Message[]): Fate[] => {
      const timestamp = clock();
      return inTransaction(db, () =>
        findTopic(topic.name)?.id === topic.id
          ? messages.map((message) => appendOne(topic, message, timestamp))
          : messages.map(() => notWritten(`the topic ${topic.name} does not exist, or was created again`, 'topic')),
      );
    },

    /** The records from `from` on, before `until`. Null if there are none. */
    readBatch: orUnavailable(readBatch),

    /** Changes when another connection has committed to the file. */
    version: orUnavailable((): number => Number(statements.version.get()?.['data_version'])),

    /** The file that a commit writes to first. */
    writtenFile: join(directory, `${EMBEDDED_LOG_FILE}-wal`),

    close: (): void => db.close(),
  };
};

/** The position to go on from: the wanted one if the log holds it, else the earliest. */
export const startWithin = ({ start, end }: Bounds, wanted: number | undefined): number =>
  wanted !== undefined && wanted >= start && wanted <= end ? wanted : start;

const encode = (message: Message) => {
  const key = Buffer.from(message.key);
  const value = Buffer.from(message.value);
  const headers = headersText(message.headers);
  return { key, value, headers, bytes: key.length + value.length + Buffer.byteLength(headers) };
};

/** The records of one batch: it ends with the record that reaches `MAX_BATCH_BYTES`. */
const recordsOf = (rows: Iterable<Record<string, SQLOutputValue>>): LogRecord[] => {
  const records: LogRecord[] = [];
  let bytes = 0;
  for (const row of rows) {
    records.push(recordOf(row));
    bytes += Number(row['bytes']);
    if (bytes >= MAX_BATCH_BYTES) break;
  }
  return records;
};

const recordOf = (row: Record<string, SQLOutputValue>): LogRecord => ({
  offset: Number(row['offset']),
  timestamp: Number(row['timestamp']),
  key: bytesOf(row['key']),
  value: bytesOf(row['value']),
  headers: headersOf(String(row['headers'])),
});

const notWritten = (detail: string, fault: 'message' | 'topic'): Fate => ({ kind: 'not_written', detail, fault });

const bytesOf = (column: SQLOutputValue | undefined): Buffer | null =>
  column instanceof Uint8Array ? Buffer.from(column.buffer, column.byteOffset, column.byteLength) : null;

/** An object for texts, as the services write them; else a list of names and Base64. */
const headersText = (headers: Headers): string =>
  JSON.stringify(
    isHeaderList(headers) ? headers.map(([name, content]) => [name, content?.toString('base64') ?? null]) : headers,
  );

const headersOf = (json: string): HeaderList => {
  const headers = JSON.parse(json) as Record<string, string> | [name: string, content: string | null][];
  if (!Array.isArray(headers)) return headerList(headers);
  return headers.map(([name, content]) => [name, content === null ? null : Buffer.from(content, 'base64')]);
};
