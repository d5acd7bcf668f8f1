import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '#service_common/sqlite/transactions.ts';
import { BrokerError, type Positions, type Topic } from '#kafka_common/broker.ts';
import { type GroupStatements, GROUPS_SCHEMA, prepareGroupStatements } from './group_tables.ts';
import { openSharedFile, orUnavailable } from './shared_file.ts';

/**
 * The consumer groups of the embedded broker, in `broker_groups.sqlite`: the members, the owner of each partition, and
 * the committed offsets.
 *
 * It is a file of its own, so that consumers never hold up the publisher. Heartbeats do not take the log's write lock,
 * wake nothing that waits for records, and need no sync to disk.
 *
 * Every member computes the same assignment from the sorted ids of the live members. A partition changes hands in three
 * cases: its owner has released it, has sent no heartbeat for `SESSION_MS`, or was replaced by a newer process under its
 * member id. The owner is recorded as an incarnation, a fresh random id for each join. It fences the commits of a former
 * owner, as a generation number would.
 */

/** A member without a heartbeat for this long is dead: its partitions go to the others. */
const SESSION_MS = 3_000;
export const HEARTBEAT_MS = 500;

/** Transactions here take about one millisecond. */
const LOCK_WAIT_MS = 250;

/** One process's part in a group. Every call is synchronous and throws BrokerError. */
export interface Membership {
  /**
   * Reports that this member lives, commits `positions` of partitions it owns, and claims the free ones among those
   * assigned to it. Returns the partitions that are both assigned to it and its own; it has to release the others.
   * @throws BrokerError `FENCED` once another process has joined under the same member id
   */
  heartbeat(positions: Positions): number[];
  owns(partition: number): boolean;
  /** Gives a partition up with the position reached, if any. Has no effect if the partition has another owner by now. */
  release(partition: number, position: number | undefined): void;
  leave(): void;
}

export interface EmbeddedGroups {
  join(group: string, topic: Topic, memberId: string): Membership;
  committed(group: string, topic: Topic): Positions;
  /** The partitions that a live member owns. */
  assigned(group: string, topic: Topic): ReadonlySet<number>;
  close(): void;
}

/** @throws StoreError `STORE_REFUSED` if the file cannot be used */
export const openEmbeddedGroups = (directory: string, openingMs?: number): EmbeddedGroups => {
  const db = openSharedFile(
    {
      directory,
      name: 'broker_groups.sqlite',
      applicationId: 0x4f45_4752,
      schemaVersion: 1,
      schema: GROUPS_SCHEMA,
      openingMs,
    },
    LOCK_WAIT_MS,
  );
  // A power cut takes seconds of commits, but the consumers' own positions are the truth.
  db.exec('PRAGMA synchronous=NORMAL');
  const statements = prepareGroupStatements(db, SESSION_MS);

  return {
    join: orUnavailable((group, topic, memberId) => joinGroup(db, statements, { group, topic, memberId })),
    committed: orUnavailable((group, topic) => {
      const rows = statements.committed.all({ group, topic: topic.id });
      return new Map(rows.map((row) => [Number(row['partition']), Number(row['next'])]));
    }),
    assigned: orUnavailable((group, topic) => {
      const rows = statements.assigned.all({ group, topic: topic.id, now: monotonicMs() });
      return new Set(rows.map((row) => Number(row['partition'])));
    }),
    close: () => db.close(),
  };
};

const joinGroup = (
  db: DatabaseSync,
  statements: GroupStatements,
  { group, topic, memberId }: { readonly group: string; readonly topic: Topic; readonly memberId: string },
): Membership => {
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

  const heartbeat = (positions: Positions): number[] =>
    inTransaction(db, () => {
      // Read under the lock, so that no other heartbeat can be later than this one.
      const now = monotonicMs();
      if (statements.heartbeat.run({ ...asMember, now }).changes === 0) {
        throw new BrokerError('FENCED', `another process joined the group ${group} as ${memberId}`);
      }
      statements.removeDead.run({ now });
      for (const [partition, position] of positions) statements.commit.run({ ...asOwner, partition, position });
      const mine = assigned();
      for (const partition of mine) statements.claim.run({ ...asOwner, partition });
      return mine.filter(isOwner);
    });

  statements.join.run({ ...asMember, now: monotonicMs() });
  return {
    heartbeat: orUnavailable(heartbeat),
    owns: orUnavailable(isOwner),
    release: orUnavailable((partition, position) => {
      statements.release.run({ ...asOwner, partition, position: position ?? null });
    }),
    leave: orUnavailable(() => {
      statements.leave.run(incarnation);
    }),
  };
};

/** The same clock in all processes of the machine. It counts from the machine's start and cannot be set. */
const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);
