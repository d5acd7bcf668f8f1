import type { Positions, Topic } from '#kafka_common/broker.ts';

/** Carries what the coordinator says to a member. */
export interface MemberLine {
  /** The partitions that the member owns from now on. `round` grows: an older round that comes late is out of date. */
  assign(round: number, partitions: readonly number[]): void;
  /** Another process has taken the member's place. */
  fence(): void;
}

interface Member {
  readonly id: string;
  /** Names one join of one process. It is never used again. */
  readonly incarnation: number;
  readonly line: MemberLine;
  /** The last assignment sent, as text; null before the first. */
  lastSent: string | null;
  expiry: NodeJS.Timeout | undefined;
}

interface Group {
  /** As its newest member knows it: partitions can be added. */
  topic: Topic;
  readonly members: Map<string, Member>;
  /** By partition: the incarnation that owns it. */
  readonly owners: Map<number, number>;
  readonly committed: Map<number, number>;
}

const nameOf = (group: string, topic: Topic): string => `${group} ${topic.id}`;

/**
 * The groups: their members, the owner of each partition, and the committed offsets. A partition changes hands once its
 * owner has released it or is taken for dead.
 */
export const createCoordinator = (options: {
  readonly sessionMs: number;
  readonly isUp: () => boolean;
  readonly onCommit: (partition: number, next: number) => void;
}) => {
  const groups = new Map<string, Group>();
  let incarnations = 0;
  let rounds = 0;

  const groupOf = (group: string, topic: Topic): Group => {
    const name = nameOf(group, topic);
    const found = groups.get(name) ?? { topic, members: new Map(), owners: new Map(), committed: new Map() };
    groups.set(name, found);
    return found;
  };

  const memberOf = ({ members }: Group, incarnation: number): Member | undefined =>
    members.values().find((member) => member.incarnation === incarnation);

  const balance = (group: Group): void => {
    const members = [...group.members.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const shares = new Map(members.map((member) => [member, [] as number[]]));
    for (let partition = 0; partition < group.topic.partitions; partition++) {
      const target = members[partition % members.length];
      const owner = group.owners.get(partition);
      if (target === undefined) group.owners.delete(partition);
      else if (owner === undefined || memberOf(group, owner) === undefined)
        group.owners.set(partition, target.incarnation);
      if (target !== undefined && group.owners.get(partition) === target.incarnation)
        shares.get(target)?.push(partition);
    }
    for (const [member, partitions] of shares) {
      const assignment = partitions.join();
      if (assignment === member.lastSent) continue;
      member.lastSent = assignment;
      member.line.assign((rounds += 1), partitions);
    }
  };

  const remove = (group: Group, member: Member): void => {
    clearTimeout(member.expiry);
    if (group.members.get(member.id) === member) group.members.delete(member.id);
    for (const [partition, owner] of group.owners) {
      if (owner === member.incarnation) group.owners.delete(partition);
    }
  };

  const keep = (group: Group, member: Member): void => {
    clearTimeout(member.expiry);
    member.expiry = setTimeout(() => {
      // A coordinator that stands still receives no heartbeats.
      if (!options.isUp()) return keep(group, member);
      remove(group, member);
      balance(group);
    }, options.sessionMs);
    member.expiry.unref();
  };

  const commit = (group: Group, incarnation: number, positions: Positions): void => {
    for (const [partition, next] of positions) {
      if (group.owners.get(partition) !== incarnation) continue;
      group.committed.set(partition, next);
      options.onCommit(partition, next);
    }
  };

  return {
    newIncarnation: (): number => (incarnations += 1),

    join: (name: string, topic: Topic, id: string, incarnation: number, line: MemberLine): void => {
      const group = groupOf(name, topic);
      const former = group.members.get(id);
      if (former !== undefined) {
        remove(group, former);
        former.line.fence();
      }
      const member: Member = { id, incarnation, line, lastSent: null, expiry: undefined };
      group.members.set(id, member);
      if (topic.partitions > group.topic.partitions) group.topic = topic;
      keep(group, member);
      balance(group);
    },

    /** @returns false if the group does not know the member any more */
    heartbeat: (name: string, topic: Topic, incarnation: number): boolean => {
      const group = groupOf(name, topic);
      const member = memberOf(group, incarnation);
      if (member) keep(group, member);
      return member !== undefined;
    },

    commit: (name: string, topic: Topic, incarnation: number, positions: Positions): void =>
      commit(groupOf(name, topic), incarnation, positions),

    /** Gives partitions up and commits the positions reached. */
    release: (
      name: string,
      topic: Topic,
      incarnation: number,
      partitions: readonly number[],
      positions: Positions,
    ): void => {
      const group = groupOf(name, topic);
      commit(group, incarnation, positions);
      for (const partition of partitions) {
        if (group.owners.get(partition) === incarnation) group.owners.delete(partition);
      }
      balance(group);
    },

    leave: (name: string, topic: Topic, incarnation: number): void => {
      const group = groupOf(name, topic);
      const member = memberOf(group, incarnation);
      if (member === undefined) return;
      remove(group, member);
      balance(group);
    },

    assigned: (name: string, topic: Topic): ReadonlySet<number> => {
      const group = groupOf(name, topic);
      const owned = [...group.owners].filter(([, owner]) => memberOf(group, owner) !== undefined);
      return new Set(owned.map(([partition]) => partition));
    },

    committed: (name: string, topic: Topic): Positions => new Map(groups.get(nameOf(name, topic))?.committed),
  };
};

export type Coordinator = ReturnType<typeof createCoordinator>;
