import type { Broker, Topic } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { Logger } from 'pino';
import { type CartStore, EMPTY_CART_BATCH, type OrderState, type OutboxRow } from './cart_store.ts';

/**
 * Brings the store up to the log, from the positions up to which it has seen its own events. Mostly that is nothing;
 * after a crash it tells which events of the outbox were published after all, and after the store was deleted or put
 * back from an older copy it learns every order anew, so that no id and no version is handed out twice.
 * @returns what is left in the outbox: it is to be published before anything newer
 */
export const catchUp = async (parts: {
  broker: Broker;
  store: CartStore;
  topic: Topic;
  logger: Logger;
}): Promise<OutboxRow[]> => {
  const { broker, store, topic, logger } = parts;
  const outbox = new Map((await store.outbox()).map((row) => [row.eventId, row]));
  const versionsInLog = new Map([...outbox.values()].map((row) => [row.orderId, 0]));
  let events = 0;

  for await (const batch of broker.read(topic.name, await startPositions(parts))) {
    const decoded = batch.records.map(decodeEvent).flatMap((d) => (d.kind === 'event' ? [d.event] : []));
    const { orders: known } = await store.load([...new Set(decoded.map((event) => event.orderId))], []);
    const orders = new Map(known);
    const published: OutboxRow[] = [];
    for (const event of decoded) {
      const state = follow(orders.get(event.orderId), event);
      if (state !== null) orders.set(event.orderId, state);
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
      orders: [...orders.values()],
      positions: [{ partition: batch.partition, topicId: topic.id, next: batch.next }],
    });
    events += decoded.length;
  }

  const overtaken = [...outbox.values()].filter((row) => versionOf(row) <= (versionsInLog.get(row.orderId) ?? 0));
  if (overtaken.length > 0) {
    // Only a store put back from an older copy holds these: the log went on without them.
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

/** In one log line. */
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
    // Stored at once, so that it is said once, also of a partition that gets no event for long.
    await store.commit({
      ...EMPTY_CART_BATCH,
      positions: positions.map(({ partition }) => ({ partition, topicId: topic.id, next: 0 })),
    });
    return new Map();
  }
  return new Map(positions.map(({ partition, next }) => [partition, next]));
};

/** The state after an event of the log, or null where the event says nothing new of a known order. */
const follow = (state: OrderState | undefined, event: OrderEvent): OrderState | null => {
  const { orderId, version } = event;
  if (state === undefined) {
    // Where others write to the log too, a status can come before its order: the id and the version are taken all the same.
    return {
      orderId,
      version: version ?? 0,
      status: event.type === 'ORDER_CREATED' ? event.order.status : event.status,
    };
  }
  if (event.type === 'ORDER_CREATED')
    return (version ?? 0) > state.version ? { ...state, version: version ?? 0 } : null;
  if (version !== null && version < state.version) return null;
  return { orderId, version: version ?? state.version, status: event.status };
};

const versionOf = (row: OutboxRow): number => (JSON.parse(row.message.value) as { version: number }).version;
