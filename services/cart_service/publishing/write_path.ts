import type { Logger } from 'pino';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import type { OpenEvents } from '#cart_service/log/learn_from_log.ts';
import type { LogPositions } from '#cart_service/log/log_positions.ts';
import type { Circumstances } from '#cart_service/order_commands.ts';
import { createBatchDecider } from '#cart_service/publishing/batches/batch_decider.ts';
import { createBatchTaker } from '#cart_service/publishing/batches/batch_taker.ts';
import { createBatchWriter } from '#cart_service/publishing/batches/batch_writer.ts';
import { createEventSender, type PublishObserver } from '#cart_service/publishing/batches/event_sender.ts';
import { createFateAnswers } from '#cart_service/publishing/batches/fate_answers.ts';
import { createRefusedEvents } from '#cart_service/publishing/batches/refused_events.ts';
import { createRelay } from '#cart_service/publishing/batches/relay.ts';
import { createSettlements, type Settlements } from '#cart_service/publishing/batches/settlements.ts';
import { createTransactions } from '#cart_service/publishing/batches/transactions.ts';
import {
  notAcknowledgedWithin,
  failedWith,
  TURN_TOO_LATE,
  unavailable,
} from '#cart_service/publishing/waiting/failures.ts';
import { createTopicQueues, type TopicQueues } from '#cart_service/publishing/waiting/topic_queues.ts';
import { createWaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import type { CartStore, OutboxRow } from '#cart_service/store/cart_store.ts';
import { createAskedStore } from './asked_store.ts';
import { createLeaders } from './leaders.ts';
import { createPlacement } from './placement.ts';
import { createRefusals } from './refusals.ts';
import { takeOverEvents } from './take_over.ts';

export interface WritePathOptions {
  readonly broker: Broker;
  readonly store: CartStore;
  readonly topic: string;
  readonly requestDeadlineMs: number;
  readonly queueLimit: number;
  readonly logger: Logger;
  readonly circumstances: () => Circumstances;
  readonly observers: readonly PublishObserver[];
  /** What the last process left in the outbox. */
  readonly outbox: readonly OutboxRow[];
  /** The outbox number of the next event. */
  readonly firstSeq: number;
  /** Why the log is not open. */
  readonly whyNotOpen: () => string;
  /** Moved on by what is acknowledged. */
  readonly positions: LogPositions;
  /** No batch starts after it aborts. */
  readonly signal: AbortSignal;
}

/**
 * A publish may take this part of the request deadline. A longer one could not answer its requests in time, and a lane
 * that waits for a lost acknowledgement serves nobody, even after the broker is back.
 */
const PUBLISH_SHARE = 0.6;

/**
 * The write path: group commit with a transactional outbox. This file wires its parts; a request meets them in this order.
 *
 * 1. It enters the waiting room, which answers it at its deadline at the latest, and the queue of its partition.
 * 2. A lane takes the partitions of one leader. If they hold unsettled events, the relay publishes those first.
 * 3. Otherwise the batch writer takes the requests that arrived during the last batch. It decides them, and stores orders
 *    and events in one transaction.
 * 4. The sender publishes the events in one send. Each request is answered by the fate of its own event.
 * 5. What was acknowledged is stored with the next transaction.
 *
 * A request that can get no event now goes to the refusals instead, which ask the store about its earlier attempts.
 */
export const createWritePath = (options: WritePathOptions) => {
  const { broker, store, topic, requestDeadlineMs, logger, circumstances, observers, outbox, signal } = options;
  const publishTimeoutMs = requestDeadlineMs * PUBLISH_SHARE;
  const now = (): number => circumstances().now;

  const queues = createTopicQueues(outbox);
  const deadlinePassed = notAcknowledgedWithin(requestDeadlineMs);
  const room = createWaitingRoom({
    limit: options.queueLimit,
    deadlineMs: requestDeadlineMs,
    onLate: (waiting) => waiting.stored || refusals.refuse(waiting, deadlinePassed),
    onDeadline: () => failedWith(deadlinePassed, 'unknown'),
  });

  const settlements = createSettlements(options.positions, now);
  const transactions = createTransactions({ store, settlements, now, logger });
  const keysInFlight = new Set<string>();
  const isLevel = (): boolean => queues.topic !== null;
  const refusals = createRefusals({
    askedStore: createAskedStore({ store, room, transactions, isUnsettled: queues.isUnsettled, isLevel, now }),
    keysInFlight,
    onKeysFree: () => lanes.schedule(),
    limit: options.queueLimit,
    logger,
  });
  const sender = createEventSender({ broker, observers, publishTimeoutMs, now, logger });
  const decide = createBatchDecider({
    store,
    room,
    transactions,
    tryAgain: (waiting, afterMs) => setTimeout(place, afterMs, waiting),
    logger,
    circumstances,
    firstSeq: options.firstSeq,
  });
  const writeBatch = createBatchWriter({
    room,
    taker: createBatchTaker({
      keysInFlight,
      refuseLate: (waiting) => refusals.refuse(waiting, TURN_TOO_LATE),
      publishTimeoutMs,
    }),
    decide,
    sender,
    answerByFate: createFateAnswers({ room, settlements, transactions, logger }),
    logger,
  });
  const isOpen = (opened: Topic): boolean => queues.topic === opened && !signal.aborted;
  const refusedEvents = createRefusedEvents({ broker, transactions, settlements, isOpen, logger });
  const { health, lanes, leaderOf } = createLeaders({
    broker,
    topic,
    queues,
    relay: createRelay({ sender, settlements, refusedEvents }),
    writeBatch,
    refuse: (waiting, reason) => refusals.refuse(waiting, unavailable(reason)),
    onIdle: transactions.settleSoon,
    logger,
    signal,
  });

  const { sharing } = store;
  if (sharing !== null) void takeOverEvents({ sharing, queues, health, lanes, leaderOf, logger }, signal);

  const place = createPlacement({ ...options, queues, health, leaderOf, refusals, onPlaced: lanes.schedule });
  const openEvents = openEventsIn(queues, settlements);
  return { queues, room, place, refusals, health, lanes, sender, transactions, refusedEvents, openEvents };
};

const openEventsIn =
  (queues: TopicQueues, { ahead }: Settlements): OpenEvents =>
  () =>
    new Map([...ahead, ...queues.unsettled.map(({ orderId }) => [orderId, Infinity] as const)]);
