import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { SQLOutputValue } from 'node:sqlite';
import { reasonOf } from '#service_common/reason_of.ts';
import { isInputOutputError } from '#service_common/sqlite/sqlite_errors.ts';
import { inTransaction } from '#service_common/sqlite/transactions.ts';
import type { Batch, Fate, LogRecord, Message, Topic } from '#kafka_common/broker.ts';
import { openSharedFile, orUnavailable } from './shared_file.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';

/**
 * The log of the embedded broker: topics and records in `broker.sqlite`. Records are only ever added, so the end of a
 * partition is one past its greatest offset.
 */

// A table with a rowid: with the records inside the primary key's own tree the file is three times as large.
const SCHEMA = `
  CREATE TABLE topics (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    id TEXT NOT NULL UNIQUE,
    partitions INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE records (
    topic INTEGER NOT NULL REFERENCES topics (number),
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    headers TEXT NOT NULL, -- a JSON object
    PRIMARY KEY (topic, partition, offset)
  ) STRICT;
`;

/** A greater message is refused; about the default of Kafka's `message.max.bytes`. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** A batch ends with the record that reaches one of these. */
const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_BATCH_RECORDS = 500;

export interface Bounds {
  readonly start: number;
  readonly end: number;
}

export const EMBEDDED_LOG_FILE = 'broker.sqlite';

export type EmbeddedLog = ReturnType<typeof openEmbeddedLog>;

/** Every call is synchronous; all but `append` throw BrokerError. @throws StoreError `STORE_REFUSED` */
export const openEmbeddedLog = (directory: string, clock: () => number) => {
  const db = openSharedFile({
    directory,
    name: EMBEDDED_LOG_FILE,
    applicationId: 0x4f45_4c4f,
    schemaVersion: 1,
    schema: SCHEMA,
    checkpointedElsewhere: true,
  });
  const topicNumber = '(SELECT number FROM topics WHERE id = :topic)';
  const inPartition = `topic = ${topicNumber} AND partition = :partition`;
  const statements = {
    findTopic: db.prepare('SELECT id, partitions FROM topics WHERE name = ?'),
    addTopic: db.prepare('INSERT INTO topics (name, id, partitions) VALUES (?, ?, ?)'),
    touchTopic: db.prepare('UPDATE topics SET partitions = partitions WHERE name = ?'),
    append: db.prepare(`
      INSERT INTO records (topic, partition, offset, timestamp, key, value, headers)
      VALUES (
        ${topicNumber}, :partition,
        (SELECT coalesce(max(offset) + 1, 0) FROM records WHERE ${inPartition}),
        :timestamp, :key, :value, :headers
      )
      RETURNING offset`),
    read: db.prepare(`
      SELECT offset, timestamp, key, value, headers,
             octet_length(key) + octet_length(value) + octet_length(headers) AS bytes
      FROM records
      WHERE ${inPartition} AND offset >= :from AND offset < :until
      ORDER BY offset LIMIT ${MAX_BATCH_RECORDS}`),
    // SQLite answers min and max from the index only where each stands alone.
    bounds: db.prepare(`
      SELECT coalesce((SELECT min(offset) FROM records WHERE ${inPartition}), 0) AS start,
             coalesce((SELECT max(offset) + 1 FROM records WHERE ${inPartition}), 0) AS end`),
    version: db.prepare('PRAGMA data_version'),
  };

  const findTopic = (topicName: string): Topic | null => {
    const row = statements.findTopic.get(topicName);
    return row === undefined ? null : { name: topicName, id: String(row['id']), partitions: Number(row['partitions']) };
  };

  const bounds = (topic: Topic, partition: number): Bounds => {
    const row = statements.bounds.get({ topic: topic.id, partition });
    return { start: Number(row?.['start']), end: Number(row?.['end']) };
  };

  return {
    findTopic: orUnavailable(findTopic),
    bounds: orUnavailable(bounds),

    ensureTopic: orUnavailable((topicName: string, partitions: number): Topic =>
      inTransaction(db, () => {
        const existing = findTopic(topicName);
        if (existing !== null) return existing;
        const topic = { name: topicName, id: randomUUID(), partitions };
        statements.addTopic.run(topic.name, topic.id, topic.partitions);
        return topic;
      }),
    ),

    /** Writes and syncs, so that success means that a message can be appended now. False where there is no such topic. */
    touch: orUnavailable((topicName: string): boolean => statements.touchTopic.run(topicName).changes === 1),

    /** Adds the messages in one transaction and tells the fate of each. Never throws. */
    append: (topic: Topic, messages: readonly Message[]): Fate[] => {
      const timestamp = clock();
      try {
        return inTransaction(db, () => {
          if (findTopic(topic.name)?.id !== topic.id) {
            return messages.map(() => notWritten(`the topic ${topic.name} does not exist, or was made again`));
          }
          return messages.map((message): Fate => {
            const key = Buffer.from(message.key);
            const value = Buffer.from(message.value);
            const headers = JSON.stringify(message.headers);
            const bytes = key.length + value.length + Buffer.byteLength(headers);
            if (bytes > MAX_MESSAGE_BYTES) return notWritten(`${bytes} bytes are more than ${MAX_MESSAGE_BYTES}`);
            const partition = partitionOf(message.key, topic.partitions);
            const row = statements.append.get({ topic: topic.id, partition, timestamp, key, value, headers });
            return { kind: 'acknowledged', partition, offset: Number(row?.['offset']) };
          });
        });
      } catch (error) {
        // Rolled back; but a failed sync can leave the commit in the WAL file, where recovery after a crash finds it.
        const kind = isInputOutputError(error) ? 'unknown' : 'not_written';
        return messages.map(() => ({ kind, detail: reasonOf(error) }));
      }
    },

    /** The records at `from` and after it, before `until`; null where there are none. */
    readBatch: orUnavailable((topic: Topic, partition: number, from: number, until: number): Batch | null => {
      const records: LogRecord[] = [];
      let bytes = 0;
      for (const row of statements.read.iterate({ topic: topic.id, partition, from, until })) {
        records.push(recordOf(row));
        bytes += Number(row['bytes']);
        if (bytes >= MAX_BATCH_BYTES) break;
      }
      const last = records.at(-1);
      if (last === undefined) return null;
      return { topic, partition, records, next: last.offset + 1, end: bounds(topic, partition).end };
    }),

    /** Changes whenever another connection has committed to the file. */
    version: orUnavailable((): number => Number(statements.version.get()?.['data_version'])),

    /** What a commit writes to first. */
    writtenFile: join(directory, `${EMBEDDED_LOG_FILE}-wal`),

    close: (): void => db.close(),
  };
};

/** The position to go on from: the earliest where none is wanted, or the log does not reach to the wanted one. */
export const startWithin = ({ start, end }: Bounds, wanted: number | undefined): number =>
  wanted !== undefined && wanted >= start && wanted <= end ? wanted : start;

const recordOf = (row: Record<string, SQLOutputValue>): LogRecord => ({
  offset: Number(row['offset']),
  timestamp: Number(row['timestamp']),
  key: bytesOf(row['key']),
  value: bytesOf(row['value']),
  headers: headersOf(String(row['headers'])),
});

const notWritten = (detail: string): Fate => ({ kind: 'not_written', detail });

const bytesOf = (column: SQLOutputValue | undefined): Buffer | null =>
  column instanceof Uint8Array ? Buffer.from(column.buffer, column.byteOffset, column.byteLength) : null;

const headersOf = (json: string): LogRecord['headers'] => {
  const headers: Record<string, string> = JSON.parse(json);
  return Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]);
};
