import type { ClusterMetadata } from '@platformatic/kafka';
import type { Topic } from '#kafka_common/broker.ts';
import { type FetchClients, fetchRecords, leaderIn } from '#kafka_common/kafka/fetch.ts';
import type { OwnedPartition, OwnedPartitions } from './owned_partitions.ts';

/** How long a broker holds a fetch that finds nothing. A new record ends the wait. */
const FETCH_WAIT_MS = 500;

export interface FetchSource extends FetchClients {
  readonly topic: Topic;
}

/** The loops that fetch for the owned partitions: one for each leader, with one fetch at a time. */
export interface FetchLoops {
  /** Starts a loop for each leader of an owned partition that has none. */
  start(): Promise<void>;
}

/** @param onFailure called with what ends a loop */
export const createFetchLoops = (
  source: FetchSource,
  owned: OwnedPartitions,
  stopping: AbortSignal,
  onFailure: (error: unknown) => void,
): FetchLoops => {
  const { consumer, topic } = source;
  const leaders = new Set<number>();

  const metadata = (): Promise<ClusterMetadata> => consumer.metadata({ topics: [topic.name] });

  /** Goes on as long as the leader leads an owned partition. */
  const fetchFrom = async (leader: number, startOthers: (known: ClusterMetadata) => void): Promise<void> => {
    while (!stopping.aborted) {
      const known = await metadata();
      const all = owned.all();
      const wanted = all.filter((p) => !p.handling && leaderIn(known, topic, p.partition) === leader);
      if (wanted.length < all.length) startOthers(known);
      if (wanted.length === 0) return;
      await fetchAndHandle(source, leader, wanted, owned);
    }
  };

  const startMissing = (known: ClusterMetadata): void => {
    for (const { partition } of owned.all()) {
      const leader = leaderIn(known, topic, partition);
      if (stopping.aborted || leaders.has(leader)) continue;
      leaders.add(leader);
      fetchFrom(leader, startMissing).then(() => leaders.delete(leader), onFailure);
    }
  };

  return {
    start: async () => startMissing(await metadata()),
  };
};

/** @throws what the fetch or `onBatch` throws */
const fetchAndHandle = async (
  source: FetchSource,
  leader: number,
  wanted: readonly OwnedPartition[],
  owned: OwnedPartitions,
): Promise<void> => {
  const { batches, outOfRange } = await fetchRecords(source, leader, source.topic, wanted, FETCH_WAIT_MS);
  // All at once, so that the handler can apply them in one step.
  await Promise.all(
    batches.map(async (batch) => {
      const partition = wanted.find((p) => p.partition === batch.partition);
      if (partition) await owned.handle(partition, batch);
    }),
  );
  for (const partition of wanted.filter((p) => outOfRange.includes(p.partition)))
    await owned.resumeFromEarliest(partition);
};
