import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ConsumeOptions, Positions, Topic } from '#kafka_common/broker.ts';
import { type EmbeddedGroups, HEARTBEAT_MS } from './groups.ts';
import { type EmbeddedLog, startWithin } from './log.ts';
import type { Tail } from './tail.ts';

/**
 * Consumes one topic as a member of a group: one worker for each partition owned, and a heartbeat that starts and
 * stops them.
 *
 * Guaranteed: a batch begins only while the groups file names this member as the partition's owner, and a worker that
 * has to give its partition up first finishes the batch in hand and commits it. So two members handle one partition at
 * once only where the first was taken for dead or replaced, and then at most for the one batch it had in hand.
 */
export const consumeEmbedded = async (
  { log, groups, tail }: { log: EmbeddedLog; groups: EmbeddedGroups; tail: Tail },
  topic: Topic,
  options: ConsumeOptions,
): Promise<void> => {
  if (options.signal.aborted) return;
  const member = groups.join(options.group, topic, options.memberId);
  const workers = new Map<number, Worker>();
  const uncommitted = new Map<number, number>();
  const failures: unknown[] = [];
  const ended = Promise.withResolvers<void>();
  let ending = false;
  let lastAssigned: readonly number[] | undefined;

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

  const beat = (): void => {
    const assigned = member.heartbeat(uncommitted);
    uncommitted.clear();
    if (!ending) assign(assigned);
  };

  const assign = (assigned: readonly number[]): void => {
    for (const [partition, worker] of workers) {
      if (!assigned.includes(partition)) stop(worker);
    }
    // One that is still stopping is started again by a later heartbeat, once it has been released.
    const added = assigned.filter((partition) => !workers.has(partition));
    if (added.length > 0) {
      const positions = options.startAt(topic, added);
      for (const partition of added) start(partition, positions);
    }
    if (!isDeepStrictEqual(assigned, lastAssigned)) options.onAssigned?.(assigned);
    lastAssigned = assigned;
  };

  const start = (partition: number, positions: Promise<Positions>): void => {
    const worker: Worker = { stopping: false, done: Promise.resolve() };
    workers.set(partition, worker);
    worker.done = work(partition, positions, worker)
      .catch(fail)
      .finally(() => {
        attempt(() => member.release(partition, uncommitted.get(partition)));
        workers.delete(partition);
        uncommitted.delete(partition);
      });
  };

  const stop = (worker: Worker): void => {
    worker.stopping = true;
    tail.wake();
  };

  const work = async (partition: number, positions: Promise<Positions>, worker: Worker): Promise<void> => {
    let position = resume(partition, (await positions).get(partition));
    while (!worker.stopping) {
      const batch = log.readBatch(topic, partition, position, Infinity);
      if (batch === null) {
        await tail.change();
      } else {
        if (!member.owns(partition)) return;
        await options.onBatch(batch);
        position = batch.next;
        uncommitted.set(partition, position);
        // Reading is synchronous: a long backlog must not keep all else from running.
        await setImmediate();
      }
    }
  };

  const resume = (partition: number, wanted: number | undefined): number => {
    const resumedAt = startWithin(log.bounds(topic, partition), wanted);
    if (wanted !== undefined && wanted !== resumedAt) options.onPositionLost?.({ partition, wanted, resumedAt });
    return resumedAt;
  };

  const onAbort = (): void => ended.resolve();
  options.signal.addEventListener('abort', onAbort, { once: true });
  attempt(beat);
  // Goes on while the batches in hand are finished, so that nobody takes their partitions meanwhile.
  const heart = setInterval(() => attempt(beat), HEARTBEAT_MS);
  await ended.promise;
  options.signal.removeEventListener('abort', onAbort);
  ending = true;
  for (const worker of workers.values()) stop(worker);
  await Promise.all([...workers.values()].map(({ done }) => done));
  clearInterval(heart);
  attempt(() => member.leave());
  if (failures.length > 0) throw failures[0];
};

interface Worker {
  stopping: boolean;
  /** Resolves once the batch in hand is finished and the partition released. */
  done: Promise<void>;
}
