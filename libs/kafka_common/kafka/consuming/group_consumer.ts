import type { ConnectionPool, Consumer } from '@platformatic/kafka';
import type { BrokerError, ConsumeOptions, Topic } from '#kafka_common/broker.ts';
import type { Closable } from '#kafka_common/kafka/closing.ts';
import { withinMs } from '#service_common/within.ts';
import { createFetchLoops } from './fetch_loops.ts';
import { leaveGroup, startMembership } from './membership.ts';
import { startOffsetCommits } from './offset_commits.ts';
import { createOwnedPartitions } from './owned_partitions.ts';

/** The limit of the last commit, and the limit of leaving the group. */
const LEAVE_MS = 1_500;

export interface ConsumerParts {
  readonly consumer: Closable<Consumer>;
  /** Fetches have their own connections: a broker answers the requests of one connection in turn, and a join can take long. */
  readonly fetchPool: Closable<ConnectionPool>;
  /** The first offset that the log still holds. */
  earliest(partition: number): Promise<number>;
  /** Resolves with what has become of the topic; with null once the signal aborts. */
  untilChanged(signal: AbortSignal): Promise<BrokerError | null>;
}

/**
 * Consumes as a member of a classic group until the signal aborts or something fails, then closes its parts. The
 * library keeps the membership. Fetching is done here: a fetch stays a batch, back-pressure is a plain await, and a
 * position that the log no longer holds is noticed.
 */
export const consumeInGroup = async (parts: ConsumerParts, topic: Topic, options: ConsumeOptions): Promise<void> => {
  const consumer = parts.consumer.client;
  const source = { consumer, fetchPool: parts.fetchPool.client, topic };
  const ended = Promise.withResolvers<void>();
  const stopping = new AbortController();
  const owned = createOwnedPartitions(topic, options, parts.earliest, stopping.signal);
  const loops = createFetchLoops(source, owned, stopping.signal, ended.reject);
  const commits = startOffsetCommits({ consumer, topic, group: options.group, memberId: options.memberId }, owned);

  const onAssigned = async (partitions: readonly number[]): Promise<void> => {
    await owned.assign(partitions);
    if (stopping.signal.aborted) return;
    options.onAssigned?.(partitions);
    await loops.start();
  };

  const onAbort = (): void => ended.resolve();
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();

  try {
    startMembership(consumer, topic, options, stopping.signal, {
      onGivenUp: owned.forgetAll,
      onAssigned,
      onFailure: ended.reject,
    });
    void parts.untilChanged(stopping.signal).then((change) => change && ended.reject(change));
    await ended.promise;
  } finally {
    stopping.abort();
    options.signal.removeEventListener('abort', onAbort);
    commits.stop();
    await owned.batchesDone();
    await withinMs(LEAVE_MS, commits.commitNow()).catch(() => {});
    await withinMs(LEAVE_MS, leaveGroup(consumer)).catch(() => {});
    await Promise.all([parts.consumer.close(), parts.fetchPool.close()]);
  }
};
