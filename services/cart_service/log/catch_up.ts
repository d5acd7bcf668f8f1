import type { Logger } from 'pino';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import {
  type CartStore,
  EMPTY_CART_BATCH,
  type OutboxRow,
  unansweredBy,
  versionOf,
} from '#cart_service/store/cart_store.ts';
import { requireSameTopic } from '#kafka_common/topic_change.ts';
import { eventsIn, learnFrom, type LoggedEvent, type OpenEvents } from './learn_from_log.ts';
import type { LogPositions } from './log_positions.ts';

/**
 * Brings the store up to the end of the log, from the positions that it has. Usually there is nothing to read. After a
 * crash the log shows which events of the outbox were published. If the store was deleted, or restored from an older
 * copy, it learns the orders again, so that no id and no version is given twice.
 * An open transaction of another producer holds it up, because nobody can know yet what it writes.
 * @returns the events left in the outbox, to be published before anything newer
 * @throws BrokerError `TRANSACTION_OPEN`, `TOPIC_CHANGED`. The next call goes on where this one ended.
 */
export const catchUp = async (parts: {
  broker: Broker;
  store: CartStore;
  topic: Topic;
  /** Starts where the store is, and moves on by what is read. */
  positions: LogPositions;
  /** Ms since 1970. */
  now: () => number;
  logger: Logger;
}): Promise<OutboxRow[]> => {
  const { broker, store, topic, positions, now, logger } = parts;
  const start = await startPositions(parts);
  positions.startFrom(start);
  const left = new Set(await store.outbox());
  const dropped: OutboxRow[] = [];
  const openEvents: OpenEvents = () => new Map([...left].map(({ orderId }) => [orderId, Infinity]));
  let events = 0;

  for await (const batch of broker.read(topic.name, start, STALL_MS)) {
    requireSameTopic(topic, batch.topic);
    positions.readUpTo(batch.partition, batch.next);
    if (batch.records.length === 0) continue;
    const found = eventsIn(batch);
    const { published, overtaken } = fatesIn(found, left);
    await store.commit({
      ...EMPTY_CART_BATCH,
      settled: published,
      unanswered: published.flatMap((row) => unansweredBy(row, now())),
      // With the position: after an interruption this part of the log is not read again.
      dropped: overtaken,
      learned: (await learnFrom(store, found, openEvents)).orders,
      positions: [{ partition: batch.partition, topicId: topic.id, next: batch.next }],
    });
    for (const row of [...published, ...overtaken]) left.delete(row);
    dropped.push(...overtaken);
    events += found.length;
  }

  if (dropped.length > 0) {
    // Only a store restored from an older copy holds such events: the log went on without them.
    logger.warn(
      { count: dropped.length, first: dropped.slice(0, LISTED).map(({ orderId, eventId }) => ({ orderId, eventId })) },
      'dropped events of the outbox whose versions the log has given to others',
    );
  }
  logger.info({ eventsRead: events, leftInOutbox: left.size }, 'caught up with the log');
  return [...left];
};

/** How long a read waits at an open transaction before it is tried again, and the reason is said. */
const STALL_MS = 1_000;

/** What the log says of the outbox: which events it holds, and which versions it has given to other events. */
const fatesIn = (
  events: readonly LoggedEvent[],
  outbox: ReadonlySet<OutboxRow>,
): { readonly published: readonly OutboxRow[]; readonly overtaken: readonly OutboxRow[] } => {
  const published = new Set<OutboxRow>();
  const overtaken = new Set<OutboxRow>();
  const byOrder = Map.groupBy(outbox, ({ orderId }) => orderId);
  for (const { event } of events) {
    const { orderId, eventId, version } = event;
    for (const row of byOrder.get(orderId) ?? []) {
      if (row.eventId === eventId) published.add(row);
      else if (version !== null && version >= versionOf(row)) overtaken.add(row);
    }
  }
  return { published: [...published], overtaken: [...overtaken.difference(published)] };
};

/** Events named in one log line. */
const LISTED = 10;

const startPositions = async ({
  store,
  topic,
  logger,
}: {
  store: CartStore;
  topic: Topic;
  logger: Logger;
}): Promise<Map<number, number>> => {
  const positions = await store.positions();
  if (positions.some((position) => position.topicId !== topic.id)) {
    logger.error(
      { topic: topic.name },
      'the topic was deleted and made again: its earlier events are gone; reading it from the start',
    );
    // Stored at once, so that the line above appears only once, even if a partition gets no event for long.
    await store.commit({
      ...EMPTY_CART_BATCH,
      isNewTopic: true,
      positions: positions.map(({ partition }) => ({ partition, topicId: topic.id, next: 0 })),
    });
    return new Map();
  }
  return new Map(positions.map(({ partition, next }) => [partition, next]));
};
