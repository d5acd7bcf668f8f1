import type { DatabaseSync } from 'node:sqlite';

export const GROUPS_SCHEMA = `
  CREATE TABLE members (
    group_name TEXT NOT NULL,
    topic_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    incarnation TEXT NOT NULL UNIQUE,
    heartbeat_at INTEGER NOT NULL, -- milliseconds of the monotonic clock
    PRIMARY KEY (group_name, topic_id, member_id)
  ) STRICT;
  CREATE TABLE partitions (
    group_name TEXT NOT NULL,
    topic_id TEXT NOT NULL,
    partition INTEGER NOT NULL,
    owner TEXT, -- an incarnation, or null if no member owns it
    next INTEGER, -- the committed offset
    PRIMARY KEY (group_name, topic_id, partition)
  ) STRICT;
`;

const IN_GROUP = 'group_name = :group AND topic_id = :topic';

const JOIN = `
  INSERT INTO members (group_name, topic_id, member_id, incarnation, heartbeat_at)
  VALUES (:group, :topic, :member, :incarnation, :now)
  ON CONFLICT (group_name, topic_id, member_id) DO UPDATE
  SET incarnation = excluded.incarnation, heartbeat_at = excluded.heartbeat_at`;

/** @param sessionMs a member without a heartbeat for this long is dead */
export const prepareGroupStatements = (db: DatabaseSync, sessionMs: number) => ({
  join: db.prepare(JOIN),
  // Brings back a member that was taken for dead, but never one that was replaced.
  heartbeat: db.prepare(`${JOIN} WHERE incarnation = excluded.incarnation`),
  // A heartbeat in the future was sent before the machine's last start.
  removeDead: db.prepare(`DELETE FROM members WHERE heartbeat_at NOT BETWEEN :now - ${sessionMs} AND :now`),
  live: db.prepare(`SELECT member_id FROM members WHERE ${IN_GROUP} ORDER BY member_id`),
  claim: db.prepare(`
    INSERT INTO partitions (group_name, topic_id, partition, owner) VALUES (:group, :topic, :partition, :incarnation)
    ON CONFLICT (group_name, topic_id, partition) DO UPDATE SET owner = excluded.owner
    WHERE owner IS NULL OR owner NOT IN (SELECT incarnation FROM members)`),
  owner: db.prepare(`SELECT owner FROM partitions WHERE ${IN_GROUP} AND partition = :partition`),
  commit: db.prepare(`
    UPDATE partitions SET next = :position WHERE ${IN_GROUP} AND partition = :partition AND owner = :incarnation`),
  release: db.prepare(`
    UPDATE partitions SET owner = NULL, next = coalesce(:position, next)
    WHERE ${IN_GROUP} AND partition = :partition AND owner = :incarnation`),
  leave: db.prepare('DELETE FROM members WHERE incarnation = ?'),
  assigned: db.prepare(`
    SELECT partition FROM partitions WHERE ${IN_GROUP} AND owner IN
      (SELECT incarnation FROM members WHERE heartbeat_at BETWEEN :now - ${sessionMs} AND :now)`),
  committed: db.prepare(`SELECT partition, next FROM partitions WHERE ${IN_GROUP} AND next IS NOT NULL`),
});

export type GroupStatements = ReturnType<typeof prepareGroupStatements>;
