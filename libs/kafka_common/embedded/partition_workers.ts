import { setImmediate } from 'node:timers/promises';
import type { Batch, ConsumeOptions, Positions, Topic } from '#kafka_common/broker.ts';
import type { Membership } from './groups.ts';
import { type EmbeddedLog, startWithin } from './log.ts';
import type { Tail } from './tail.ts';

interface Worker {
  stopping: boolean;
  /** Resolves once the batch in hand is finished and the partition released. */
  done: Promise<void>;
}

/** The workers of one member, one for each partition it owns, and the positions they have reached. */
export interface PartitionWorkers {
  /** By partition: the positions that the group does not know yet. */
  readonly uncommitted: Map<number, number>;
  /** Stops the workers of partitions that are not assigned any more, and starts those of new ones. */
  assign(assigned: readonly number[]): void;
  /** Resolves once the batches in hand are finished and all partitions released. */
  stopAll(): Promise<void>;
}

interface WorkerParts {
  readonly log: EmbeddedLog;
  readonly tail: Tail;
  readonly member: Membership;
}

/** @param onFailure called with what ends a worker */
export const createPartitionWorkers = (
  parts: WorkerParts,
  topic: Topic,
  options: ConsumeOptions,
  onFailure: (error: unknown) => void,
): PartitionWorkers => {
  const { log, tail, member } = parts;
  const workers = new Map<number, Worker>();
  const uncommitted = new Map<number, number>();

  const handle = async (batch: Batch): Promise<void> => {
    await options.onBatch(batch);
    uncommitted.set(batch.partition, batch.next);
  };

  const work = async (partition: number, positions: Promise<Positions>, worker: Worker): Promise<void> => {
    const wanted = (await positions).get(partition);
    const position = startWithin(log.bounds(topic, partition), wanted);
    if (wanted !== undefined && wanted !== position)
      options.onPositionLost?.({ partition, wanted, resumedAt: position });
    await handleFrom(parts, topic, partition, position, worker, handle);
  };

  const release = (partition: number): void => {
    try {
      member.release(partition, uncommitted.get(partition));
    } catch (error) {
      onFailure(error);
    }
    workers.delete(partition);
    uncommitted.delete(partition);
  };

  const start = (partition: number, positions: Promise<Positions>): void => {
    const worker: Worker = { stopping: false, done: Promise.resolve() };
    workers.set(partition, worker);
    worker.done = work(partition, positions, worker)
      .catch(onFailure)
      .finally(() => release(partition));
  };

  const stop = (worker: Worker): void => {
    worker.stopping = true;
    tail.wake();
  };

  return {
    uncommitted,

    assign(assigned) {
      for (const [partition, worker] of workers) if (!assigned.includes(partition)) stop(worker);
      // A partition whose worker is still stopping is started again by a later heartbeat, after its release.
      const added = assigned.filter((partition) => !workers.has(partition));
      if (added.length === 0) return;
      const positions = options.startAt(topic, added);
      for (const partition of added) start(partition, positions);
    },

    async stopAll() {
      for (const worker of workers.values()) stop(worker);
      await Promise.all(Array.from(workers.values(), ({ done }) => done));
    },
  };
};

/** Handles one batch after the other, until the worker is stopped or the partition is not this member's any more. */
const handleFrom = async (
  { log, tail, member }: WorkerParts,
  topic: Topic,
  partition: number,
  start: number,
  worker: Worker,
  handle: (batch: Batch) => Promise<void>,
): Promise<void> => {
  let position = start;
  while (!worker.stopping) {
    const batch = log.readBatch(topic, partition, position, Infinity);
    if (batch === null) {
      await tail.change();
    } else {
      if (!member.owns(partition)) return;
      await handle(batch);
      position = batch.next;
      // Reading is synchronous: a long backlog must not keep everything else from running.
      await setImmediate();
    }
  }
};
