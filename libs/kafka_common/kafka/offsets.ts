import { FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka';
import type { Positions, Topic } from '#kafka_common/broker.ts';
import type { CurrentAdmin } from './admin.ts';
import { toBrokerError } from './errors.ts';
import { partitionsOf } from './topics.ts';

/** The first offset of each partition, and one past the last. @throws BrokerError `UNAVAILABLE` */
export const boundsOf = async (
  admin: CurrentAdmin,
  topic: Topic,
): Promise<Map<number, { start: number; end: number }>> => {
  try {
    const starts = await listOffsets(admin, topic.name, partitionsOf(topic), ListOffsetTimestamps.EARLIEST);
    const ends = await listOffsets(admin, topic.name, partitionsOf(topic), ListOffsetTimestamps.LATEST);
    return new Map([...ends].map(([partition, end]) => [partition, { start: starts.get(partition) ?? 0, end }]));
  } catch (error) {
    throw toBrokerError(error);
  }
};

/** The first offset that the log still holds. @throws the library's error */
export const earliestOffset = async (admin: CurrentAdmin, name: string, partition: number): Promise<number> =>
  (await listOffsets(admin, name, [partition], ListOffsetTimestamps.EARLIEST)).get(partition) ?? 0;

/** What the group has committed. @throws BrokerError `UNAVAILABLE` */
export const committedOffsets = async (admin: CurrentAdmin, group: string, topic: Topic): Promise<Positions> => {
  const asked = { name: topic.name, partitionIndexes: partitionsOf(topic) };
  try {
    const groups = await admin.client.listConsumerGroupOffsets({ groups: [{ groupId: group, topics: [asked] }] });
    const partitions = groups.flatMap(({ topics }) => topics).flatMap((found) => found.partitions);
    // Kafka answers -1 for a partition without a committed offset. Any client may commit any 64-bit number.
    const committed = partitions.filter(
      ({ committedOffset }) => committedOffset >= 0n && committedOffset <= Number.MAX_SAFE_INTEGER,
    );
    return new Map(committed.map(({ partitionIndex, committedOffset }) => [partitionIndex, Number(committedOffset)]));
  } catch (error) {
    throw toBrokerError(error);
  }
};

const listOffsets = async (
  admin: CurrentAdmin,
  name: string,
  partitions: readonly number[],
  timestamp: bigint,
): Promise<Map<number, number>> => {
  const asked = partitions.map((partitionIndex) => ({ partitionIndex, timestamp }));
  // The high watermark: who must be level with the log waits for open transactions too.
  const isolationLevel = FetchIsolationLevels.READ_UNCOMMITTED;
  const listed = await admin.client.listOffsets({ topics: [{ name, partitions: asked }], isolationLevel });
  return new Map(listed.flatMap((entry) => entry.partitions.map((p) => [p.partitionIndex, Number(p.offset)])));
};
