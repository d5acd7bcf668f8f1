import type { Logger } from 'pino';
import { StoreError } from '#service_common/store_error.ts';
import type { Circumstances } from '#cart_service/order_commands.ts';
import { failedWith, STORE_FAILED } from '#cart_service/publishing/waiting/failures.ts';
import type { Waiting, WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import { type Answer, nothingDone } from '#cart_service/requests.ts';
import type { CartBatch, CartStore } from '#cart_service/store/cart_store.ts';
import type { BatchEntry, BatchTaker, TakenBatch } from './batch_taker.ts';
import type { EventSender } from './event_sender.ts';
import type { AnswerByFate } from './fate_answers.ts';
import { type LaneWork, troubleIn } from './lane_work.ts';
import { type PlannedEvent, planBatch } from './plan_batch.ts';
import type { Transactions } from './transactions.ts';

export interface BatchWriterOptions {
  readonly store: CartStore;
  readonly room: WaitingRoom;
  readonly taker: BatchTaker;
  readonly transactions: Transactions;
  readonly sender: EventSender;
  readonly answerByFate: AnswerByFate;
  /** Takes back a request that can only be decided later, to be tried again after so many ms. */
  readonly tryAgain: (waiting: Waiting, afterMs: number) => void;
  readonly logger: Logger;
  readonly circumstances: () => Circumstances;
  /** The outbox number of the next event. */
  readonly firstSeq: number;
}

/** How soon a request is tried again whose order has an open event of another instance. Usually it is settled by then. */
const OPEN_ELSEWHERE_MS = 5;

/** Takes the next batch of requests, decides and stores it, publishes its events, and answers by their fates. */
export const createBatchWriter = (options: BatchWriterOptions): LaneWork => {
  const { store, room, taker, transactions, sender, answerByFate, tryAgain, logger } = options;
  let nextSeq = options.firstSeq;

  /** Answers the requests that need no event. @returns the events of the others, stored @throws StoreError */
  const decideAndStore = async (batch: TakenBatch): Promise<readonly PlannedEvent<BatchEntry>[]> => {
    await transactions.commitUnanswered();
    const orderIds = batch.entries.map(({ request }) => request.command.orderId);
    const loaded = await store.load(orderIds, batch.idempotencyKeys);
    // A request that was answered meanwhile was answered that nothing was done.
    const open = batch.entries.filter(({ waiting, request }) => {
      const isOpenElsewhere = loaded.openElsewhere.has(request.command.orderId);
      if (isOpenElsewhere) tryAgain(waiting, OPEN_ELSEWHERE_MS);
      return !waiting.answered && !isOpenElsewhere;
    });
    const plan = planBatch(open, loaded, nextSeq, options.circumstances());
    const { events, idempotency, forgotten, faults } = plan;
    nextSeq += events.length;
    for (const { entry, answer } of plan.answers) room.answer(entry.waiting, answer);
    for (const { entry, error } of faults) {
      logger.error({ err: error }, 'a request could not be decided; the others of its batch go on');
      room.answer(entry.waiting, failedWith(STORE_FAILED, 'unknown'));
    }
    // From here on, a deadline that passes leaves the outcome unknown.
    for (const { entry } of events) room.markStored(entry.waiting);
    if (events.length + idempotency.length + forgotten.length === 0) return events;
    const lost = await storeEvents(events, { idempotency, forgotten });
    const isLost = ({ request }: BatchEntry): boolean => lost.has(request.command.orderId);
    for (const { entry, answer } of plan.answersAfterCommit) {
      if (isLost(entry)) tryAgain(entry.waiting, 0);
      else room.answer(entry.waiting, answer);
    }
    return lost.size === 0 ? events : events.filter(({ entry }) => !isLost(entry));
  };

  /** @returns the ids of the orders that were not as they were decided on; their requests are tried again */
  const storeEvents = async (
    events: readonly PlannedEvent<BatchEntry>[],
    rest: Partial<CartBatch>,
  ): Promise<ReadonlySet<string>> => {
    const rows = events.map(({ row }) => row);
    // Open from here on: a request that is refused meanwhile must not be answered that nothing was done.
    for (const { entry, row } of events) entry.queue.stored(row);
    try {
      const { lost } = await transactions.commit({ orders: events, outbox: rows, ...rest });
      for (const { entry, row } of events) {
        if (!lost.has(row.orderId)) continue;
        entry.queue.settled(new Set([row]));
        room.unmarkStored(entry.waiting);
        tryAgain(entry.waiting, 0);
      }
      return lost;
    } catch (error) {
      for (const { entry } of events) entry.queue.settled(new Set(rows));
      // After a failed sync nobody knows what a recovery will find.
      const isCertain = error instanceof StoreError && error.code === 'STORE_UNAVAILABLE';
      for (const { entry } of events) if (isCertain) room.answer(entry.waiting, storeFailed(room, entry));
      throw error;
    }
  };

  const refuse = (batch: TakenBatch, error: unknown): void => {
    logger.error({ err: error }, 'the store failed; the requests of this batch are refused');
    for (const { waiting } of batch.entries) room.answer(waiting, failedWith(STORE_FAILED, 'unknown'));
  };

  return async (topic, queues) => {
    const batch = taker.take(queues);
    if (batch === null) return { taken: queues.every(({ hasRequests }) => !hasRequests), sent: 0, trouble: null };
    try {
      const events = await decideAndStore(batch).catch((error: unknown) => {
        refuse(batch, error);
        return [];
      });
      if (events.length === 0) return { taken: true, sent: 0, trouble: null };
      const rows = events.map(({ row }) => row);
      const requests = events.map(({ entry }) => entry.request);
      const fates = await sender.send(topic, rows, requests);
      await answerByFate({ topic, queues, events, fates });
      return { taken: true, sent: rows.length, trouble: troubleIn(fates) };
    } finally {
      taker.release(batch);
    }
  };
};

/** The answer to a request whose event is certainly not stored. */
const storeFailed = (room: WaitingRoom, { request, waiting }: BatchEntry): Answer =>
  failedWith(STORE_FAILED, room.hasOtherAttempts(waiting) ? 'unknown' : nothingDone(request.command));
