import type { Logger } from 'pino';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { type CartStore, EMPTY_CART_BATCH, type OutboxRow } from '#cart_service/store/cart_store.ts';
import { eventsIn, learnFrom } from './learn_from_log.ts';
import type { LogPositions } from './log_positions.ts';

/**
 * Brings the store up to the end of the log, from the positions that it has. Usually there is nothing to read. After a
 * crash the log shows which events of the outbox were published. If the store was deleted, or restored from an older
 * copy, it learns the orders again, so that no id and no version is given twice.
 * @returns the events left in the outbox, to be published before anything newer
 */
export const catchUp = async (parts: {
  broker: Broker;
  store: CartStore;
  topic: Topic;
  /** Starts where the store is, and moves on by what is read. */
  positions: LogPositions;
  logger: Logger;
}): Promise<OutboxRow[]> => {
  const { broker, store, topic, positions, logger } = parts;
  const start = await startPositions(parts);
  positions.startFrom(start);
  const outbox = new Map((await store.outbox()).map((row) => [row.eventId, row]));
  const versionsInLog = new Map([...outbox.values()].map((row) => [row.orderId, 0]));
  let events = 0;

  for await (const batch of broker.read(topic.name, start)) {
    const found = eventsIn(batch);
    const published: OutboxRow[] = [];
    for (const event of found) {
      const highest = versionsInLog.get(event.orderId);
      if (highest !== undefined) versionsInLog.set(event.orderId, Math.max(highest, event.version ?? 0));
      const row = outbox.get(event.eventId);
      if (row !== undefined && outbox.delete(event.eventId)) published.push(row);
    }
    await store.commit({
      ...EMPTY_CART_BATCH,
      settled: published.map((row) => row.seq),
      unanswered: published.flatMap(({ orderId, fingerprint }) =>
        fingerprint === null ? [] : [{ orderId, fingerprint }],
      ),
      learned: await learnFrom(store, found),
      positions: [{ partition: batch.partition, topicId: topic.id, next: batch.next }],
    });
    positions.readUpTo(batch.partition, batch.next);
    events += found.length;
  }

  const overtaken = [...outbox.values()].filter((row) => versionOf(row) <= (versionsInLog.get(row.orderId) ?? 0));
  if (overtaken.length > 0) {
    // Only a store restored from an older copy holds such events: the log went on without them.
    logger.warn(
      {
        count: overtaken.length,
        first: overtaken.slice(0, LISTED).map(({ orderId, eventId }) => ({ orderId, eventId })),
      },
      'dropped events of the outbox whose versions the log has given to others',
    );
    await store.commit({ ...EMPTY_CART_BATCH, settled: overtaken.map((row) => row.seq) });
  }
  const left = [...outbox.values()].filter((row) => !overtaken.includes(row));
  logger.info({ eventsRead: events, leftInOutbox: left.length }, 'caught up with the log');
  return left;
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
      positions: positions.map(({ partition }) => ({ partition, topicId: topic.id, next: 0 })),
    });
    return new Map();
  }
  return new Map(positions.map(({ partition, next }) => [partition, next]));
};

const versionOf = (row: OutboxRow): number => (JSON.parse(row.message.value) as { version: number }).version;
