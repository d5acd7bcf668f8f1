import { type Consumer, offsetCommitV8 } from '@platformatic/kafka';
import type { Topic } from '#kafka_common/broker.ts';
import type { OwnedPartition, OwnedPartitions } from './owned_partitions.ts';

const COMMIT_INTERVAL_MS = 1_000;

interface GroupMember {
  readonly consumer: Consumer;
  readonly topic: Topic;
  readonly group: string;
  /** Kafka's `group.instance.id`. */
  readonly memberId: string;
}

/** Commits the positions of the owned partitions once a second. */
export interface OffsetCommits {
  /** Ends the commits by the clock. */
  stop(): void;
  /** @throws the library's error */
  commitNow(): Promise<void>;
}

export const startOffsetCommits = (member: GroupMember, owned: OwnedPartitions): OffsetCommits => {
  const commitNow = async (): Promise<void> => {
    const moved = owned
      .all()
      .filter(({ next, committed }) => committed !== next)
      .map((position) => ({ position, next: position.next }));
    if (moved.length === 0 || !(await sendCommit(member, moved))) return;
    for (const { position, next } of moved) position.committed = next;
  };

  // A failed commit is tried again a second later: the consumer's own positions are the truth, the group's follow.
  const timer = setInterval(() => void commitNow().catch(() => {}), COMMIT_INTERVAL_MS);

  return { stop: () => clearInterval(timer), commitNow };
};

/** @returns false if the coordinator's address is not known */
const sendCommit = async (
  { consumer, topic, group, memberId }: GroupMember,
  moved: readonly { readonly position: OwnedPartition; readonly next: number }[],
): Promise<boolean> => {
  const coordinator = await consumer.findGroupCoordinator();
  const { brokers } = await consumer.metadata({ topics: [topic.name] });
  const broker = brokers.get(coordinator);
  if (broker === undefined) return false;
  const partitions = moved.map(({ position, next }) => ({
    partitionIndex: position.partition,
    committedOffset: BigInt(next),
    committedLeaderEpoch: -1,
  }));
  // `consumer.commit` leaves out the static member id. A fenced member would then look unknown and join again, which
  // fences the member that has just taken over.
  await offsetCommitV8.api.async(
    await consumer.connections.get(broker),
    group,
    consumer.generationId,
    consumer.memberId ?? '',
    memberId,
    [{ name: topic.name, partitions }],
  );
  return true;
};
