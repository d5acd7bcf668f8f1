import { randomUUID } from 'node:crypto';
import { inTransaction } from '#service_common/sqlite/transactions.ts';
import { BrokerError, type Positions, type Topic } from '#kafka_common/broker.ts';
import { openSharedFile, orUnavailable } from './shared_file.ts';

/**
 * The consumer groups of the embedded broker, in `broker_groups.sqlite`: who is a member, which member owns which
 * partition, and what is committed.
 *
 * A file of its own, so that consumers never hold up the publisher: heartbeats do not take the log's write lock, wake
 * nobody who waits for records, and need no sync to disk.
 *
 * Every member computes the same assignment from the sorted ids of the live members. A partition changes hands only
 * when its owner has released it, has not sent a heartbeat for `SESSION_MS`, or was replaced by a newer process under
 * its member id. The owner is recorded as an incarnation, a fresh random id for each joining: it fences the commits of
 * an owner of the past, as a generation number would.
 */

const SCHEMA = `
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
    owner TEXT, -- an incarnation; nobody's where no member has it
    next INTEGER, -- the committed offset
    PRIMARY KEY (group_name, topic_id, partition)
  ) STRICT;
`;

/** A member without a heartbeat for so long is dead: its partitions go to the others. */
const SESSION_MS = 3_000;
export const HEARTBEAT_MS = 500;

/** One process's part in a group. Every call is synchronous and throws BrokerError. */
interface Membership {
  /**
   * Says that this member lives, commits `positions` of partitions it owns, and claims the free ones among those
   * assigned to it. Returns the partitions that are both assigned to it and its own; the rest it has to release.
   * @throws BrokerError `FENCED` once another process has joined under the same member id
   */
  heartbeat(positions: Positions): number[];
  owns(partition: number): boolean;
  /** Gives a partition up with the position reached, if any; without effect where it has another owner by now. */
  release(partition: number, position: number | undefined): void;
  leave(): void;
}

export interface EmbeddedGroups {
  join(group: string, topic: Topic, memberId: string): Membership;
  committed(group: string, topic: Topic): Positions;
  close(): void;
}

/** @throws StoreError `STORE_REFUSED` */
export const openEmbeddedGroups = (directory: string): EmbeddedGroups => {
  const db = openSharedFile({
    directory,
    name: 'broker_groups.sqlite',
    applicationId: 0x4f45_4752,
    schemaVersion: 1,
    schema: SCHEMA,
  });
  // What a power cut takes is seconds of commits, and the consumers' own positions are the truth.
  db.exec('PRAGMA synchronous=NORMAL');

  const ofGroup = 'group_name = :group AND topic_id = :topic';
  const join = `
    INSERT INTO members (group_name, topic_id, member_id, incarnation, heartbeat_at)
    VALUES (:group, :topic, :member, :incarnation, :now)
    ON CONFLICT (group_name, topic_id, member_id) DO UPDATE
    SET incarnation = excluded.incarnation, heartbeat_at = excluded.heartbeat_at`;
  const statements = {
    join: db.prepare(join),
    // Brings back a member that was taken for dead, but never one that was replaced.
    heartbeat: db.prepare(`${join} WHERE incarnation = excluded.incarnation`),
    // A heartbeat in the future was sent before the machine's last start.
    removeDead: db.prepare(`DELETE FROM members WHERE heartbeat_at NOT BETWEEN :now - ${SESSION_MS} AND :now`),
    live: db.prepare(`SELECT member_id FROM members WHERE ${ofGroup} ORDER BY member_id`),
    claim: db.prepare(`
      INSERT INTO partitions (group_name, topic_id, partition, owner) VALUES (:group, :topic, :partition, :incarnation)
      ON CONFLICT (group_name, topic_id, partition) DO UPDATE SET owner = excluded.owner
      WHERE owner IS NULL OR owner NOT IN (SELECT incarnation FROM members)`),
    owner: db.prepare(`SELECT owner FROM partitions WHERE ${ofGroup} AND partition = :partition`),
    commit: db.prepare(`
      UPDATE partitions SET next = :position WHERE ${ofGroup} AND partition = :partition AND owner = :incarnation`),
    release: db.prepare(`
      UPDATE partitions SET owner = NULL, next = coalesce(:position, next)
      WHERE ${ofGroup} AND partition = :partition AND owner = :incarnation`),
    leave: db.prepare('DELETE FROM members WHERE incarnation = ?'),
    committed: db.prepare(`SELECT partition, next FROM partitions WHERE ${ofGroup} AND next IS NOT NULL`),
  };

  const membership = (group: string, topic: Topic, memberId: string): Membership => {
    const incarnation = randomUUID();
    const inGroup = { group, topic: topic.id };
    const asMember = { ...inGroup, member: memberId, incarnation };
    const asOwner = { ...inGroup, incarnation };

    const isOwner = (partition: number): boolean =>
      statements.owner.get({ ...inGroup, partition })?.['owner'] === incarnation;

    const assigned = (): number[] => {
      const members = statements.live.all(inGroup).map((row) => row['member_id']);
      return Array.from({ length: topic.partitions }, (_, partition) => partition).filter(
        (partition) => members[partition % members.length] === memberId,
      );
    };

    statements.join.run({ ...asMember, now: monotonicMs() });
    return {
      heartbeat: orUnavailable((positions) =>
        inTransaction(db, () => {
          // Read under the lock: no other heartbeat can then be later than this one.
          const now = monotonicMs();
          if (statements.heartbeat.run({ ...asMember, now }).changes === 0) {
            throw new BrokerError('FENCED', `another process joined the group ${group} as ${memberId}`);
          }
          statements.removeDead.run({ now });
          for (const [partition, position] of positions) statements.commit.run({ ...asOwner, partition, position });
          const mine = assigned();
          for (const partition of mine) statements.claim.run({ ...asOwner, partition });
          return mine.filter(isOwner);
        }),
      ),
      owns: orUnavailable(isOwner),
      release: orUnavailable((partition, position) => {
        statements.release.run({ ...asOwner, partition, position: position ?? null });
      }),
      leave: orUnavailable(() => {
        statements.leave.run(incarnation);
      }),
    };
  };

  return {
    join: orUnavailable(membership),
    committed: orUnavailable((group, topic) => {
      const rows = statements.committed.all({ group, topic: topic.id });
      return new Map(rows.map((row) => [Number(row['partition']), Number(row['next'])]));
    }),
    close: () => db.close(),
  };
};

/** The same clock in all processes of the machine, and one that nobody sets: it counts from the machine's start. */
const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);
