import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { backoffMs } from '#cart_service/backoff.ts';
import type { CartStore } from '#cart_service/store/cart_store.ts';
import type { TopicQueues } from '#cart_service/publishing/waiting/topic_queues.ts';
import { catchUp } from './catch_up.ts';
import { type FollowedLog, followLog } from './follow_log.ts';
import type { OpenEvents } from './learn_from_log.ts';
import type { LogPositions } from './log_positions.ts';
import { problemKey } from './problem_key.ts';

/** The connection to the log: opened as soon as the broker allows it, then followed, and opened again if the topic changes. */
export interface OpenLog {
  /** Why the log is not open. */
  readonly startProblem: string;
  /** Resolves once nothing is read any more. */
  readonly ended: Promise<void>;
}

export interface OpenLogOptions {
  readonly broker: Broker;
  readonly store: CartStore;
  /** Moved on by what is read. */
  readonly positions: LogPositions;
  readonly topic: string;
  /** For a topic that has to be created. */
  readonly partitions: number;
  /** Opened when the store is level with the log, closed when the topic changes. */
  readonly queues: TopicQueues;
  readonly openEvents: OpenEvents;
  /** A transaction that takes along what was acknowledged. @throws StoreError */
  readonly commit: FollowedLog['commit'];
  /** Resolves once no batch is under way and what was acknowledged is stored. @throws StoreError */
  readonly untilQuiet: () => Promise<void>;
  /** Called whenever the queues are open. */
  readonly onOpen: () => void;
  /** Ms since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
}

const NOT_CONNECTED = 'not connected yet';

/** A topic that changes again within this time is opened with a pause, in ms. */
const STEADY_MS = 10_000;

/**
 * Creates the topic if it is missing, and brings the store up to the log. Tries again until both succeed. Then follows
 * what others write. If the topic was deleted, created again, or has got partitions, it begins again. Ends when the signal
 * aborts.
 */
export const openLog = (options: OpenLogOptions, signal: AbortSignal): OpenLog => {
  const { broker, store, positions, queues, openEvents, commit, logger } = options;
  let problem: string | null = NOT_CONNECTED;

  const openOnce = async (): Promise<{ topic: Topic; closed: AbortSignal }> => {
    await options.untilQuiet();
    const topic = await broker.ensureTopic(options.topic, options.partitions);
    const left = await catchUp({ broker, store, topic, positions, now: options.now, logger });
    const closed = queues.open(topic, left);
    problem = null;
    options.onOpen();
    logger.info({ topic: topic.name, partitions: topic.partitions }, 'ready to publish');
    return { topic, closed };
  };

  const open = async (): ReturnType<typeof openOnce> => {
    let logged: string | null = null;
    for (let attempt = 1; ; attempt++) {
      try {
        return await openOnce();
      } catch (error) {
        problem = reasonOf(error);
        if (problemKey(error) !== logged) logger.warn({ reason: problem }, 'cannot publish yet; trying again');
        logged = problemKey(error);
        await sleep(backoffMs(attempt), undefined, { signal });
      }
    }
  };

  const openAndFollow = async (): Promise<void> => {
    for (let changes = 0; ; changes++) {
      if (changes > 0) await sleep(backoffMs(changes), undefined, { signal });
      const { topic, closed } = await open();
      const openedAt = performance.now();
      const log = { broker, store, topic, positions, open: queues, openEvents, commit, logger };
      const change = await followLog(log, AbortSignal.any([signal, closed]));
      if (change !== null) queues.close(topic, change.message);
      if (!closed.aborted) return;
      logger.warn({ reason: String(closed.reason) }, 'the topic has changed; opening it again');
      if (performance.now() - openedAt > STEADY_MS) changes = -1;
    }
  };

  const ended = openAndFollow().catch((error: unknown) => {
    // Every pause ends with an error then.
    if (!signal.aborted) throw error;
  });
  return {
    get startProblem() {
      return problem ?? queues.whyClosed ?? NOT_CONNECTED;
    },
    ended,
  };
};
