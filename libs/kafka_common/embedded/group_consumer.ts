import { isDeepStrictEqual } from 'node:util';
import type { ConsumeOptions, Topic } from '#kafka_common/broker.ts';
import { requireSameTopic } from '#kafka_common/topic_change.ts';
import { type EmbeddedGroups, HEARTBEAT_MS } from './groups.ts';
import type { EmbeddedLog } from './log.ts';
import { createPartitionWorkers } from './partition_workers.ts';
import type { Tail } from './tail.ts';

/**
 * Consumes one topic as a member of a group. The heartbeat starts and stops one worker for each partition owned.
 *
 * A batch begins only while the groups file names this member as the partition's owner. A worker that has to give its
 * partition up first finishes the batch in hand and commits it. So two members handle one partition at once only if the
 * first was taken for dead or replaced, and then at most for the one batch it had in hand.
 */
export const consumeEmbedded = async (
  { log, groups, tail }: { readonly log: EmbeddedLog; readonly groups: EmbeddedGroups; readonly tail: Tail },
  topic: Topic,
  options: ConsumeOptions,
): Promise<void> => {
  if (options.signal.aborted) return;
  const failures: unknown[] = [];
  const ended = Promise.withResolvers<void>();
  const fail = (error: unknown): void => {
    failures.push(error);
    ended.resolve();
  };
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      fail(error);
    }
  };

  const member = groups.join(options.group, topic, options.memberId);
  const workers = createPartitionWorkers({ log, tail, member }, topic, options, fail);
  const { uncommitted } = workers;
  let isEnding = false;
  let lastAssigned: readonly number[] | undefined;

  const beat = (): void => {
    if (!isEnding) requireSameTopic(topic, log.findTopic(topic.name));
    const assigned = member.heartbeat(uncommitted);
    uncommitted.clear();
    if (isEnding) return;
    workers.assign(assigned);
    if (!isDeepStrictEqual(assigned, lastAssigned)) options.onAssigned?.(assigned);
    lastAssigned = assigned;
  };

  const onAbort = (): void => ended.resolve();
  options.signal.addEventListener('abort', onAbort, { once: true });
  attempt(beat);
  // It goes on while the batches in hand are finished, so that no other member takes their partitions meanwhile.
  const heart = setInterval(() => attempt(beat), HEARTBEAT_MS);
  await ended.promise;
  options.signal.removeEventListener('abort', onAbort);
  isEnding = true;
  await workers.stopAll();
  clearInterval(heart);
  attempt(() => member.leave());
  if (failures.length > 0) throw failures[0];
};
