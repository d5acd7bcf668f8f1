import { setImmediate as othersTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker, BrokerError, Positions, Topic } from '#kafka_common/broker.ts';
import { endsOf } from '#kafka_common/ends_of.ts';
import { requireSameTopic, topicChange } from '#kafka_common/topic_change.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { withinMs } from '#service_common/within.ts';
import type { CartBatch, CartStore } from '#cart_service/store/cart_store.ts';
import type { OpenOutbox } from '#cart_service/publishing/waiting/topic_queues.ts';
import { eventsIn, learnFrom, type OpenEvents } from './learn_from_log.ts';
import type { LogPositions } from './log_positions.ts';
import { problemKey } from './problem_key.ts';

export interface FollowedLog {
  readonly broker: Broker;
  readonly store: CartStore;
  readonly topic: Topic;
  /** Moved on by what is read. */
  readonly positions: LogPositions;
  readonly open: OpenOutbox;
  readonly openEvents: OpenEvents;
  /** A transaction that takes along what was acknowledged: no stored position passes an event that is stored as open. */
  readonly commit: (part: Partial<CartBatch>) => Promise<unknown>;
  readonly logger: Logger;
}

/**
 * The topic is looked at and the ends of its partitions are read this often, in ms. What others write is known after two
 * to three intervals.
 */
const INTERVAL_MS = 1_000;
const ANSWER_MS = 1_000;
/** How long a read waits at an open transaction. Partitions without one are read meanwhile. */
const STALL_MS = 300;

/**
 * Learns what others write to the log, for example a redrive of dead letters. Such an order can then be updated, and is not
 * created again. The service knows its own events by their acknowledgements, so it reads nothing while no other producer
 * writes. Runs until the signal aborts.
 * @returns what has become of the topic; null if the signal has aborted
 */
export const followLog = async (log: FollowedLog, signal: AbortSignal): Promise<BrokerError | null> => {
  const { broker, topic, positions, logger } = log;
  /** The ends one interval ago: since then the service's own events below them have been acknowledged. */
  let ends: Positions = new Map();
  let problem: string | null = null;
  while (!signal.aborted) {
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return null;
    try {
      const change = topicChange(topic, await withinMs(ANSWER_MS, broker.describeTopic(topic.name)));
      if (change !== null) return change;
      if (positions.isBehind(ends)) await readOrHear(log);
      ends = await withinMs(ANSWER_MS, endsOf(broker, topic.name));
      problem = null;
    } catch (error) {
      // Usually Kafka is down and the publisher logs it; log each reason once here.
      const key = problemKey(error);
      if (key !== problem) logger.warn({ reason: reasonOf(error) }, 'cannot follow what others write; trying again');
      problem = key;
    }
  }
  return null;
};

/** Of instances that share a store, one reads. The others take its positions. */
const readOrHear = async (log: FollowedLog): Promise<void> => {
  const { store, topic, positions } = log;
  if (store.sharing === null || (await store.sharing.mayRead())) return readOn(log);
  for (const { partition, topicId, next } of await store.positions()) {
    if (topicId === topic.id) positions.readUpTo(partition, next);
  }
};

/** Keeps the events that were open at one of its calls: if the log has them, the read that has begun finds them. */
const openSinceNow = (openEvents: OpenEvents): OpenEvents => {
  const all = new Map<string, number>();
  const look: OpenEvents = () => {
    for (const [orderId, offset] of openEvents()) all.set(orderId, Math.max(offset, all.get(orderId) ?? 0));
    return all;
  };
  look();
  return look;
};

const readOn = async (log: FollowedLog): Promise<void> => {
  const { broker, store, topic, positions, open, logger } = log;
  const openEvents = openSinceNow(log.openEvents);
  let count = 0;
  let example: string | undefined;
  for await (const batch of broker.read(topic.name, positions.known, STALL_MS)) {
    requireSameTopic(topic, batch.topic);
    const { orders: learned, changed } = await learnFrom(store, eventsIn(batch), openEvents);
    const { partition, next } = batch;
    if (learned.length > 0) {
      // A start looks for the open events from this position on, so it must not move past one that the log has.
      const seen = open.hasUnsettled(partition) ? [] : [{ partition, topicId: topic.id, next }];
      await log.commit({ learned, positions: seen });
    }
    positions.readUpTo(partition, next);
    count += changed.length;
    example ??= changed[0];
    await othersTurn();
  }
  if (count > 0) logger.info({ count, orderId: example }, 'learned what others wrote about orders');
};
