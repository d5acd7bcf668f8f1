import type { Refusal } from '#cart_service/order_commands.ts';
import { planWithoutEvents } from '#cart_service/publishing/batches/plan_batch.ts';
import type { Transactions } from '#cart_service/publishing/batches/transactions.ts';
import { type Failure, failedWith } from '#cart_service/publishing/waiting/failures.ts';
import type { Waiting, WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import { type Answer, nothingDone } from '#cart_service/requests.ts';
import type { CartStore } from '#cart_service/store/cart_store.ts';

/** Answers requests by what the store knows of them, without an event. */
export interface AskedStore {
  /** Answers what it can. @param keys the idempotency keys of the requests @throws StoreError */
  answer(refused: readonly Refused[], keys: readonly string[]): Promise<void>;
  /** Answers that nobody knows, except what has its answer or its event by now. */
  answerUnknown(refused: readonly Refused[]): void;
}

/** A request that gets no event, and what its answer says if the store does not have a better one. */
export interface Refused {
  readonly request: Waiting['request'];
  readonly waiting: Waiting;
  readonly failure: Failure;
}

export interface AskedStoreOptions {
  readonly store: CartStore;
  readonly room: WaitingRoom;
  readonly transactions: Transactions;
  /** Whether the outbox may hold an event of this order. */
  readonly isUnsettled: (orderId: string) => boolean;
  /** Whether the store is level with the log. */
  readonly isLevel: () => boolean;
  /** Ms since 1970. */
  readonly now: () => number;
}

/** Neither answered nor in a batch meanwhile. */
export const isOpen = ({ waiting }: Refused): boolean => !waiting.answered && !waiting.stored;

export const createAskedStore = (options: AskedStoreOptions): AskedStore => {
  const { store, room, transactions, isUnsettled } = options;

  const fail = ({ waiting, failure, request }: Refused, outcome: 'unknown' | 'nothing done'): void =>
    room.answer(waiting, failedWith(failure, outcome === 'unknown' ? outcome : nothingDone(request.command)));

  const isUncertain = ({ waiting, request }: Refused): boolean =>
    transactions.isInDoubt || room.hasOtherAttempts(waiting) || isUnsettled(request.command.orderId);

  const answerUnknown = (refused: readonly Refused[]): void => {
    for (const each of refused) if (isOpen(each)) fail(each, 'unknown');
  };

  const give = (refused: Refused, answer: Answer, isLevel: boolean): void => {
    if (!isOpen(refused)) return;
    if (isUncertain(refused)) fail(refused, 'unknown');
    else if (answer.kind === 'refused' && !isFinal(answer.refusal, isLevel)) fail(refused, 'nothing done');
    else room.answer(refused.waiting, answer);
  };

  return {
    async answer(refused, keys) {
      await transactions.commitUnanswered();
      // The look-up decides nothing that was uncertain before it or is afterwards: the open event may be dropped meanwhile.
      answerUnknown(refused.filter(isUncertain));
      const isLevel = options.isLevel();
      const loaded = await store.load([...new Set(refused.map(({ request }) => request.command.orderId))], keys);
      answerUnknown(refused.filter(isUncertain));
      answerUnknown(refused.filter(({ request }) => loaded.openElsewhere.has(request.command.orderId)));
      const { plan, undone } = planWithoutEvents(refused.filter(isOpen), loaded, options.now());
      for (const { entry, answer } of plan.answers) give(entry, answer, isLevel);
      for (const each of undone) fail(each, 'nothing done');
      if (plan.answersAfterCommit.length === 0) return;
      const idempotency = plan.idempotency.filter(({ refusal }) => refusal === null || isFinal(refusal, isLevel));
      const { lost } = await transactions.commit({ idempotency, forgotten: plan.forgotten });
      for (const { entry, answer } of plan.answersAfterCommit) {
        if (lost.has(entry.request.command.orderId)) answerUnknown([entry]);
        else give(entry, answer, isLevel);
      }
    },
    answerUnknown,
  };
};

/** Before the store is level with the log, it cannot say what is not there. */
const isFinal = ({ code }: Refusal, isLevel: boolean): boolean =>
  isLevel || (code !== 'OrderNotFound' && code !== 'StatusNotAllowed');
