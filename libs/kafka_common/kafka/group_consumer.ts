import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterMetadata, type ConnectionPool, findErrorBy, offsetCommitV8 } from '@platformatic/kafka';
import { type Batch, BrokerError, type ConsumeOptions, type Topic } from '#kafka_common/broker.ts';
import type { Closable } from './closing.ts';
import { protocolErrorsOf } from './errors.ts';
import { batchesOf, fetchRecords, type KafkaConsumer, outOfRangePartitions } from './fetch.ts';
import { withinMs } from '#service_common/within.ts';

/** How long a broker holds a fetch that finds nothing; a record that arrives ends the wait. */
const FETCH_WAIT_MS = 500;
const COMMIT_INTERVAL_MS = 1_000;
const COORDINATOR_NOT_YET = ['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'];
const COORDINATOR_TRIES = 20;
const COORDINATOR_RETRY_MS = 250;
/** For the last commit, and for leaving the group, when stopping. */
const LEAVE_MS = 1_500;

export interface ConsumerParts {
  readonly consumer: Closable<KafkaConsumer>;
  /** Fetches have connections of their own: a broker answers the requests of one connection in turn, and joining a group can take long. */
  readonly fetchPool: Closable<ConnectionPool>;
  /** The first offset that the log still holds. */
  earliest(topic: string, partition: number): Promise<number>;
}

/** A partition that this member owns. The object is the ownership: a partition lost and regained gets another one. */
interface Owned {
  readonly partition: number;
  next: number;
  /** What the group knows of it, or null before the first commit. */
  committed: number | null;
  /** A batch of it is in hand. */
  handling: boolean;
}

/**
 * Consumes as a member of a classic group until the signal aborts or something fails. The library keeps the membership
 * (heartbeats, joining again); fetching is done here, so that a fetch stays a batch, back-pressure is a plain await, and
 * a position that the log no longer holds is noticed.
 */
export const consumeInGroup = async (parts: ConsumerParts, topic: Topic, options: ConsumeOptions): Promise<void> => {
  const { client: consumer } = parts.consumer;
  const owned = new Map<number, Owned>();
  const loops = new Set<number>();
  const inHand = new Set<Promise<void>>();
  const ended = Promise.withResolvers<void>();
  const stopping = new AbortController();

  const assign = async (partitions: readonly number[]): Promise<void> => {
    for (const partition of owned.keys()) if (!partitions.includes(partition)) owned.delete(partition);
    const added = partitions.filter((partition) => !owned.has(partition));
    // Of a partition that was ours before, a batch may be in hand still: its position comes after it.
    if (added.length > 0) await Promise.allSettled(inHand);
    if (stopping.signal.aborted) return;
    const positions = added.length > 0 ? await options.startAt(topic, added) : new Map<number, number>();
    for (const partition of added) {
      const next = positions.get(partition) ?? (await fromTheStart(partition));
      owned.set(partition, { partition, next, committed: null, handling: false });
    }
    if (stopping.signal.aborted) return;
    options.onAssigned?.(partitions);
    startLoops(await consumer.metadata({ topics: [topic.name] }));
  };

  const fromTheStart = async (partition: number): Promise<number> => {
    const earliest = await parts.earliest(topic.name, partition);
    if (earliest > 0) options.onPositionLost?.({ partition, wanted: 0, resumedAt: earliest });
    return earliest;
  };

  const startLoops = (metadata: ClusterMetadata): void => {
    for (const { partition } of owned.values()) {
      const leader = leaderOf(metadata, topic, partition);
      if (stopping.signal.aborted || loops.has(leader)) continue;
      loops.add(leader);
      fetchFrom(leader).then(() => loops.delete(leader), ended.reject);
    }
  };

  /** One fetch at a time from one leader, as long as it leads a partition of ours. */
  const fetchFrom = async (leader: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      const metadata = await consumer.metadata({ topics: [topic.name] });
      const wanted = [...owned.values()].filter(
        (p) => !p.handling && leaderOf(metadata, topic, p.partition) === leader,
      );
      if (wanted.length < owned.size) startLoops(metadata);
      if (wanted.length === 0) return;
      try {
        const response = await fetchRecords(consumer, parts.fetchPool.client, leader, topic, wanted, FETCH_WAIT_MS);
        // Together, so that what handles them may do so in one step.
        await Promise.all(
          batchesOf(response, topic, wanted).map(async (batch) => {
            const partition = wanted.find((p) => p.partition === batch.partition);
            // Taken away, or stopped, since the fetch was sent.
            if (stopping.signal.aborted || !partition || owned.get(batch.partition) !== partition) return;
            await handle(partition, batch);
          }),
        );
      } catch (error) {
        await resumeLostPositions(error, wanted);
      }
    }
  };

  const handle = async (partition: Owned, batch: Batch): Promise<void> => {
    const applyAndMove = async (): Promise<void> => {
      await options.onBatch(batch);
      partition.next = batch.next;
    };
    const handled = applyAndMove();
    partition.handling = true;
    inHand.add(handled);
    await handled.finally(() => inHand.delete(handled));
    partition.handling = false;
  };

  /** @throws the error itself, where it is not about positions */
  const resumeLostPositions = async (error: unknown, wanted: readonly Owned[]): Promise<void> => {
    const lost = outOfRangePartitions(error);
    if (lost.length === 0) throw error;
    for (const position of wanted.filter(({ partition }) => lost.includes(partition))) {
      const resumedAt = await parts.earliest(topic.name, position.partition);
      options.onPositionLost?.({ partition: position.partition, wanted: position.next, resumedAt });
      position.next = resumedAt;
    }
  };

  const commit = async (): Promise<void> => {
    const moved = [...owned.values()].filter((p) => p.committed !== p.next).map((p) => ({ position: p, next: p.next }));
    if (moved.length === 0) return;
    const coordinator = await consumer.findGroupCoordinator();
    const { brokers } = await consumer.metadata({ topics: [topic.name] });
    const broker = brokers.get(coordinator);
    if (broker === undefined) return;
    const partitions = moved.map(({ position, next }) => ({
      partitionIndex: position.partition,
      committedOffset: BigInt(next),
      committedLeaderEpoch: -1,
    }));
    // Not by `consumer.commit`: it leaves out the static member id, so that a fenced member would pass for an unknown
    // one and join again, which fences the member that has just taken over.
    await offsetCommitV8.api.async(
      await consumer.connections.get(broker),
      options.group,
      consumer.generationId,
      consumer.memberId ?? '',
      options.memberId,
      [{ name: topic.name, partitions }],
    );
    for (const { position, next } of moved) position.committed = next;
  };

  // One that fails is tried again a second later: the consumer's own positions are the truth, the group's follow.
  const commits = setInterval(() => void commit().catch(() => {}), COMMIT_INTERVAL_MS);

  let memberId: string | null = null;
  let assigning = Promise.resolve();
  consumer.on('consumer:group:join', (joined) => {
    // A new member id means that the group had given this member up: others may have moved its positions meanwhile.
    if (memberId !== joined.memberId) owned.clear();
    memberId = joined.memberId;
    const partitions = joined.assignments?.find((assignment) => assignment.topic === topic.name)?.partitions ?? [];
    assigning = assigning.then(() => assign(partitions));
    assigning.catch(ended.reject);
  });
  consumer.on('error', ended.reject);
  // Left alone, the library would join again at once and fence the member that has just taken over.
  consumer.on('client:performWithRetry:failed', (_operation: string, _retries: number, errors: Error[]) => {
    if (!errors.some((error) => findErrorBy(error, 'apiId', 'FENCED_INSTANCE_ID'))) return;
    ended.reject(new BrokerError('FENCED', `another process joined group ${options.group} as ${options.memberId}`));
    consumer.leaveGroup(true, () => {});
  });
  const onAbort = (): void => ended.resolve();
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();

  try {
    consumer.topics.track(topic.name);
    join(consumer, stopping.signal).catch(ended.reject);
    await ended.promise;
  } finally {
    stopping.abort();
    options.signal.removeEventListener('abort', onAbort);
    clearInterval(commits);
    await Promise.allSettled(inHand);
    await withinMs(LEAVE_MS, commit()).catch(() => {});
    await withinMs(LEAVE_MS, leave(consumer)).catch(() => {});
    await Promise.all([parts.consumer.close(), parts.fetchPool.close()]);
  }
};

/** A broker that has just started, or makes the topic of the groups for the first one, has no coordinator yet. */
const join = async (consumer: KafkaConsumer, signal: AbortSignal): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await consumer.joinGroup({});
      return;
    } catch (error) {
      const notYet = protocolErrorsOf(error).some((name) => COORDINATOR_NOT_YET.includes(name));
      if (attempt === COORDINATOR_TRIES || !notYet) throw error;
    }
    await sleep(COORDINATOR_RETRY_MS, undefined, { signal });
  }
};

/** Lets go of a join under way, too; left to `close` alone, that would end in heartbeats of a closed consumer, for ever. */
const leave = (consumer: KafkaConsumer): Promise<void> =>
  new Promise((resolve) => consumer.leaveGroup(true, () => resolve()));

const leaderOf = (metadata: ClusterMetadata, topic: Topic, partition: number): number =>
  metadata.topics.get(topic.name)?.partitions[partition]?.leader ?? -1;
