import type { Logger } from 'pino';
import { StoreError } from '#service_common/store_error.ts';
import type { Circumstances } from '#cart_service/order_commands.ts';
import { failedWith, STORE_FAILED } from '#cart_service/publishing/waiting/failures.ts';
import type { Waiting, WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import { type Answer, nothingDone } from '#cart_service/requests.ts';
import type { CartBatch, CartStore } from '#cart_service/store/cart_store.ts';
import type { BatchEntry, TakenBatch } from './batch_taker.ts';
import { type PlannedEvent, planBatch } from './plan_batch.ts';
import type { Transactions } from './transactions.ts';

/** Decides the requests of a batch, and answers those that need no event. @returns the events of the others, stored @throws StoreError */
export type DecideBatch = (batch: TakenBatch) => Promise<readonly PlannedEvent<BatchEntry>[]>;

export interface BatchDeciderOptions {
  readonly store: Pick<CartStore, 'load'>;
  readonly room: WaitingRoom;
  readonly transactions: Pick<Transactions, 'commit' | 'commitUnanswered'>;
  /** Takes back a request that can only be decided later, to be tried again after so many ms. */
  readonly tryAgain: (waiting: Waiting, afterMs: number) => void;
  readonly logger: Logger;
  readonly circumstances: () => Circumstances;
  /** The outbox number of the next event. */
  readonly firstSeq: number;
}

/** How soon a request is tried again whose order has an open event of another instance. Usually it is settled by then. */
const OPEN_ELSEWHERE_MS = 5;

export const createBatchDecider = (options: BatchDeciderOptions): DecideBatch => {
  const { store, room, transactions, tryAgain, logger } = options;
  let nextSeq = options.firstSeq;

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

  return async (batch) => {
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
};

/** The answer to a request whose event is certainly not stored. */
const storeFailed = (room: WaitingRoom, { request, waiting }: BatchEntry): Answer =>
  failedWith(STORE_FAILED, room.hasOtherAttempts(waiting) ? 'unknown' : nothingDone(request.command));
