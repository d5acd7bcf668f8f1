import type { DatabaseSync } from 'node:sqlite';

/** A batch ends with the record that reaches this number. */
const MAX_BATCH_RECORDS = 500;

/** The records' table has a rowid: with the records inside the primary key's own tree the file is three times as large. */
export const LOG_SCHEMA = `
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
    headers TEXT NOT NULL, -- a JSON object of texts, or a list of names and Base64
    PRIMARY KEY (topic, partition, offset)
  ) STRICT;
`;

const TOPIC_NUMBER = '(SELECT number FROM topics WHERE id = :topic)';
const IN_PARTITION = `topic = ${TOPIC_NUMBER} AND partition = :partition`;

export const prepareLogStatements = (db: DatabaseSync) => ({
  findTopic: db.prepare('SELECT id, partitions FROM topics WHERE name = ?'),
  addTopic: db.prepare('INSERT INTO topics (name, id, partitions) VALUES (?, ?, ?)'),
  touchTopic: db.prepare('UPDATE topics SET partitions = partitions WHERE name = ?'),
  append: db.prepare(`
    INSERT INTO records (topic, partition, offset, timestamp, key, value, headers)
    VALUES (
      ${TOPIC_NUMBER}, :partition,
      (SELECT coalesce(max(offset) + 1, 0) FROM records WHERE ${IN_PARTITION}),
      :timestamp, :key, :value, :headers
    )
    RETURNING offset`),
  read: db.prepare(`
    SELECT offset, timestamp, key, value, headers,
           octet_length(key) + octet_length(value) + octet_length(headers) AS bytes
    FROM records
    WHERE ${IN_PARTITION} AND offset >= :from AND offset < :until
    ORDER BY offset LIMIT ${MAX_BATCH_RECORDS}`),
  // SQLite answers min and max from the index only if each stands alone.
  bounds: db.prepare(`
    SELECT coalesce((SELECT min(offset) FROM records WHERE ${IN_PARTITION}), 0) AS start,
           coalesce((SELECT max(offset) + 1 FROM records WHERE ${IN_PARTITION}), 0) AS end`),
  version: db.prepare('PRAGMA data_version'),
});
