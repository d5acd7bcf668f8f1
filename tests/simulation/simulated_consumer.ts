import { setTimeout as sleep } from 'node:timers/promises';
import { type Batch, BrokerError, type ConsumeOptions, type Topic } from '#kafka_common/broker.ts';
import { topicChange } from '#kafka_common/topic_change.ts';
import type { Client } from './simulated_client.ts';
import { fetchCommitted, HELD_UP_MS } from './simulated_fetch.ts';

const COMMIT_INTERVAL_MS = 900;
/** The limit of the last commit, and the limit of leaving the group. */
const LEAVE_MS = 1_500;
const NEW_LEADER_MS = 100;

/** Reads one partition while this member owns it. */
interface Worker {
  readonly isStopped: Promise<void>;
  stop(): void;
  stopping: boolean;
}

/** Consumes as a member of a group: a worker for each partition owned, and heartbeats. */
export const consumeSimulated = async (client: Client, options: ConsumeOptions): Promise<void> => {
  const { cluster, wire } = client;
  const { coordinator } = cluster;
  const { group, memberId, signal } = options;
  if (signal.aborted) return;
  const topic = await client.existing(options.topic);

  const allPartitions = Array.from({ length: topic.partitions }).keys().toArray();
  const workers = new Map<number, Worker>();
  /** Includes workers that have been stopped, but have not ended yet. */
  const working = new Set<Promise<void>>();
  const inHand = new Set<Promise<void>>();
  const uncommitted = new Map<number, number>();
  const failures: unknown[] = [];
  const ended = Promise.withResolvers<void>();
  let isEnding = false;
  let hasEnded = false;
  let incarnation = 0;
  let round = 0;
  let assigning: Promise<void> = Promise.resolve();
  let commitTimer: NodeJS.Timeout | undefined;
  let heart: NodeJS.Timeout | undefined;

  const fail = (error: unknown): void => {
    failures.push(error);
    ended.resolve();
  };

  const join = async (): Promise<void> => {
    const own = coordinator.newIncarnation();
    incarnation = own;
    round = 0;
    const ifCurrent = (action: () => void) => () => wire.toClient(() => own === incarnation && action());
    await client.question(() =>
      coordinator.join(group, topic, memberId, own, {
        assign: (newRound, partitions) =>
          ifCurrent(() => {
            if (newRound <= round) return;
            round = newRound;
            assigning = assigning.then(() => assign(own, partitions)).catch(fail);
          })(),
        fence: ifCurrent(() =>
          fail(new BrokerError('FENCED', `another process joined the group ${group} as ${memberId}`)),
        ),
      }),
    );
  };

  const beat = (): void => {
    heart = setTimeout(() => {
      const asked = incarnation;
      client
        .question(() => coordinator.heartbeat(group, topic, asked))
        .then((isKnown) => (isKnown || asked !== incarnation || isEnding ? undefined : rejoin()))
        .then(() => (isEnding ? undefined : lookAtTopic()))
        // It goes on until the last batch is done, so that no other member gets its partition meanwhile.
        .then(() => hasEnded || beat())
        .catch(fail);
    }, client.heartbeatMs);
  };

  const lookAtTopic = async (): Promise<void> => {
    const change = topicChange(topic, await client.describe(topic.name));
    if (change !== null) fail(change);
  };

  /** The group has given this member up: another member may own its partitions, and its positions are out of date. */
  const rejoin = async (): Promise<void> => {
    uncommitted.clear();
    incarnation = 0;
    await stopWorkers();
    uncommitted.clear();
    if (!isEnding) await join();
  };

  const stopWorkers = async (): Promise<void> => {
    for (const worker of workers.values()) worker.stop();
    workers.clear();
    await Promise.all(working);
  };

  const assign = async (own: number, partitions: readonly number[]): Promise<void> => {
    if (isEnding || own !== incarnation) return;
    const released = allPartitions.filter((partition) => !partitions.includes(partition));
    for (const partition of released) {
      workers.get(partition)?.stop();
      workers.delete(partition);
    }
    if (released.length > 0) {
      // As in Kafka, nothing waits for a batch in hand. A partition that it never took up is released too: this
      // assignment may have overtaken the one before.
      const reached = new Map([...uncommitted].filter(([partition]) => released.includes(partition)));
      for (const partition of released) uncommitted.delete(partition);
      await client.question(() => coordinator.release(group, topic, own, released, reached));
    }
    const added = partitions.filter((partition) => !workers.has(partition));
    // A batch of a partition that was ours before can still be in hand: the position is read after it.
    if (added.length > 0) await Promise.allSettled(inHand);
    if (isEnding || own !== incarnation) return;
    const positions = added.length > 0 ? await options.startAt(topic, added) : new Map<number, number>();
    if (isEnding || own !== incarnation) return;
    for (const partition of added) start(partition, positions.get(partition) ?? 0);
    options.onAssigned?.(partitions);
  };

  const start = (partition: number, position: number): void => {
    const stopped = Promise.withResolvers<void>();
    const worker: Worker = {
      isStopped: stopped.promise,
      stopping: false,
      stop: () => {
        worker.stopping = true;
        stopped.resolve();
      },
    };
    workers.set(partition, worker);
    const done = work(partition, position, worker)
      .catch(fail)
      .finally(() => working.delete(done));
    working.add(done);
  };

  const work = async (partition: number, position: number, worker: Worker): Promise<void> => {
    let next = position;
    while (!worker.stopping) {
      const fetched = await Promise.race([fetchCommitted(client, topic, partition, next, Infinity), worker.isStopped]);
      if (fetched === undefined || worker.stopping) return;
      if (fetched.kind === 'topic_missing') throw missing(topic);
      if (fetched.kind === 'not_leader') {
        await sleep(NEW_LEADER_MS);
        await client.describe(topic.name);
      } else if (fetched.kind === 'out_of_range') {
        options.onPositionLost?.({ partition, wanted: next, resumedAt: 0 });
        next = 0;
      } else {
        const isHeldUp = fetched.next === next;
        const { records, end } = fetched;
        await handled({ topic, partition, records, next: fetched.next, end });
        next = fetched.next;
        if (workers.get(partition) === worker) {
          uncommitted.set(partition, next);
          commitSoon();
        }
        if (isHeldUp) await Promise.race([sleep(HELD_UP_MS), worker.isStopped]);
      }
    }
  };

  const handled = async (batch: Batch): Promise<void> => {
    const times = cluster.weather.redelivers() ? 2 : 1;
    for (let n = 0; n < times; n++) {
      const done = options.onBatch(batch).finally(() => inHand.delete(done));
      inHand.add(done);
      await done;
    }
  };

  const commitSoon = (): void => {
    if (!isEnding) commitTimer ??= setTimeout(commit, COMMIT_INTERVAL_MS);
  };

  const commit = (): void => {
    commitTimer = undefined;
    commitNow().catch(commitSoon);
  };

  const commitNow = async (): Promise<void> => {
    if (uncommitted.size === 0) return;
    const positions = new Map(uncommitted);
    const own = incarnation;
    uncommitted.clear();
    try {
      await client.question(() => coordinator.commit(group, topic, own, positions), LEAVE_MS);
    } catch (error) {
      if (own === incarnation)
        for (const [partition, next] of positions) if (!uncommitted.has(partition)) uncommitted.set(partition, next);
      throw error;
    }
  };

  const onAbort = (): void => ended.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  join().catch(fail);
  beat();
  await ended.promise;

  signal.removeEventListener('abort', onAbort);
  isEnding = true;
  // A batch that was finished while this ended is committed.
  for (const worker of workers.values()) worker.stop();
  await Promise.all(working);
  hasEnded = true;
  clearTimeout(heart);
  clearTimeout(commitTimer);
  await commitNow().catch(() => {});
  await client.question(() => coordinator.leave(group, topic, incarnation), LEAVE_MS).catch(() => {});
  if (failures.length > 0) throw failures[0];
};

const missing = ({ name }: Topic): BrokerError => new BrokerError('TOPIC_MISSING', `topic ${name} does not exist`);
