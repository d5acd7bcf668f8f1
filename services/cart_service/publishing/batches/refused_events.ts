import { setImmediate as othersTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { foldEvent, type FoldedOrder } from '#kafka_common/order_fold.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { backoffMs } from '#cart_service/backoff.ts';
import { eventsIn } from '#cart_service/log/learn_from_log.ts';
import type { OrderState } from '#cart_service/order_commands.ts';
import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { CartBatch, OutboxRow } from '#cart_service/store/cart_store.ts';
import type { Settlements } from './settlements.ts';
import type { Transactions } from './transactions.ts';

/**
 * Decides about events of the outbox that Kafka refuses for what they are. Their clients were answered `unknown`: an
 * earlier attempt may have written the event, before the topic's limits changed. So the log is asked.
 */
export interface RefusedEvents {
  /**
   * Settles the events that the log holds. Drops the others, with the later events of their orders: they were decided on
   * a state that will never be. Resolves when that is done, or when the topic is closed. Never rejects.
   */
  decide(topic: Topic, queues: readonly PartitionQueue[], refused: readonly OutboxRow[]): Promise<void>;
  /** Events dropped since the start. */
  readonly dropped: number;
}

export interface RefusedEventsOptions {
  readonly broker: Pick<Broker, 'read'>;
  readonly transactions: Pick<Transactions, 'commit'>;
  readonly settlements: Pick<Settlements, 'acknowledged'>;
  /** Whether this topic is the one in use, and the service goes on. */
  readonly isOpen: (topic: Topic) => boolean;
  readonly logger: Logger;
}

/** How long a read waits at an open transaction before it is tried again. */
const STALL_MS = 1_000;

/** What the log holds of some orders. */
interface Logged {
  /** Where it holds those events that it holds, by event id. */
  readonly found: ReadonlyMap<string, { readonly partition: number; readonly offset: number }>;
  readonly orders: ReadonlyMap<string, FoldedOrder>;
}

export const createRefusedEvents = (options: RefusedEventsOptions): RefusedEvents => {
  const { broker, transactions, settlements, isOpen, logger } = options;
  let dropped = 0;

  /** Reads the whole log: the state before the event is nowhere else. @returns null if the topic was closed meanwhile */
  const readLog = async (topic: Topic, rows: readonly OutboxRow[]): Promise<Logged | null> => {
    const orderIds = new Set(rows.map(({ orderId }) => orderId));
    const eventIds = new Set(rows.map(({ eventId }) => eventId));
    const found = new Map<string, { partition: number; offset: number }>();
    const orders = new Map<string, FoldedOrder>();
    for await (const batch of broker.read(topic.name, new Map(), STALL_MS)) {
      if (!isOpen(topic) || batch.topic.id !== topic.id) return null;
      for (const { offset, event } of eventsIn(batch)) {
        const { orderId, eventId } = event;
        if (!orderIds.has(orderId)) continue;
        const { order } = foldEvent(orders.get(orderId), event, false);
        if (order !== null) orders.set(orderId, order);
        if (eventIds.has(eventId) && !found.has(eventId)) found.set(eventId, { partition: batch.partition, offset });
      }
      await othersTurn();
    }
    return { found, orders };
  };

  const decideOnce = async (
    topic: Topic,
    queues: readonly PartitionQueue[],
    refused: readonly OutboxRow[],
  ): Promise<void> => {
    const orderIds = new Set(refused.map(({ orderId }) => orderId));
    const rows = queues.flatMap(({ unsettled }) => unsettled.filter(({ orderId }) => orderIds.has(orderId)));
    const logged = await readLog(topic, rows);
    if (logged === null) return;
    const lost = rows.filter(({ eventId }) => !logged.found.has(eventId));
    await transactions.commit({ takenBack: lost.toReversed().map(takenBackTo(logged.orders)), dropped: lost });
    for (const row of rows) {
      const position = logged.found.get(row.eventId);
      if (position !== undefined) settlements.acknowledged(row, position, topic, false);
    }
    for (const queue of queues) queue.settled(new Set(rows));
    dropped += lost.length;
    for (const { orderId, eventId } of lost)
      logger.error({ orderId, eventId }, 'dropped an event that Kafka refuses for good; its client got no success');
  };

  return {
    async decide(topic, queues, refused) {
      let problem: string | null = null;
      for (let attempt = 1; isOpen(topic); attempt++) {
        try {
          await decideOnce(topic, queues, refused);
          return;
        } catch (error) {
          const reason = reasonOf(error);
          if (reason !== problem)
            logger.warn({ reason }, 'cannot decide yet about events that Kafka refuses; trying again');
          problem = reason;
          await sleep(backoffMs(attempt), undefined, { ref: false });
        }
      }
    },
    get dropped() {
      return dropped;
    },
  };
};

/** The order goes back to what the log says, if nothing else has changed it. */
const takenBackTo =
  (orders: ReadonlyMap<string, FoldedOrder>) =>
  (row: OutboxRow): CartBatch['takenBack'][number] => {
    const { orderId } = row;
    const logged = orders.get(orderId);
    const previous =
      logged === undefined || logged.isPending ? null : { orderId, version: logged.version, status: logged.status };
    return { row, state: stateAfter(row), previous };
  };

const stateAfter = ({ orderId, message }: OutboxRow): OrderState => {
  const { version, status, order } = JSON.parse(message.value) as {
    version: number;
    status?: OrderState['status'];
    order?: { status: OrderState['status'] };
  };
  return { orderId, version, status: status ?? order?.status ?? 'new' };
};
