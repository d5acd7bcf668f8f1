import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { backoffMs } from '#cart_service/backoff.ts';
import type { CartStore, OutboxRow } from '#cart_service/store/cart_store.ts';
import type { OpenOutbox } from '#cart_service/publishing/waiting/topic_queues.ts';
import { catchUp } from './catch_up.ts';
import { followLog } from './follow_log.ts';
import type { LogPositions } from './log_positions.ts';

/** The connection to the log: opened as soon as the broker allows it, then followed. */
export interface OpenLog {
  /** Why the log could not be opened so far. */
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
  readonly open: OpenOutbox;
  /** For a topic that has to be created. */
  readonly partitions: number;
  /** Called once, when the store is level with the log. @param left the events of the outbox that the log does not hold */
  readonly onOpen: (topic: Topic, left: readonly OutboxRow[]) => void;
  /** Ms since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * Creates the topic if it is missing, and brings the store up to the log. Tries again until both succeed. Then follows
 * what others write, until the signal aborts.
 */
export const openLog = (options: OpenLogOptions, signal: AbortSignal): OpenLog => {
  const { broker, store, positions, logger } = options;
  let startProblem = 'not connected yet';

  const open = async (): Promise<Topic | null> => {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const topic = await broker.ensureTopic(options.topic, options.partitions);
        options.onOpen(topic, await catchUp({ broker, store, topic, positions, now: options.now, logger }));
        logger.info({ topic: topic.name, partitions: topic.partitions }, 'ready to publish');
        return topic;
      } catch (error) {
        const reason = reasonOf(error);
        if (reason !== startProblem) logger.warn({ reason }, 'cannot publish yet; trying again');
        startProblem = reason;
        await sleep(backoffMs(attempt), undefined, { signal }).catch(() => {});
      }
    }
    return null;
  };

  const openAndFollow = async (): Promise<void> => {
    const topic = await open();
    if (topic !== null) await followLog({ broker, store, topic, positions, open: options.open, logger }, signal);
  };

  const ended = openAndFollow();
  return {
    get startProblem() {
      return startProblem;
    },
    ended,
  };
};
