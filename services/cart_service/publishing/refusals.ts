import type { Logger } from 'pino';
import { MAX_BATCH } from '#cart_service/publishing/batches/lane_work.ts';
import { planWithoutEvents } from '#cart_service/publishing/batches/plan_batch.ts';
import type { Transactions } from '#cart_service/publishing/batches/transactions.ts';
import { type Failure, failedWith } from '#cart_service/publishing/waiting/failures.ts';
import type { Waiting, WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import type { Refusal } from '#cart_service/order_commands.ts';
import { type Answer, nothingDone } from '#cart_service/requests.ts';
import type { CartStore } from '#cart_service/store/cart_store.ts';
import { oncePerTurn } from './next_turn.ts';

/**
 * Answers requests that can get no event now. An answer speaks of the request with all its attempts, so the store is asked
 * first. Done already, or nothing to change: that is a success, and needs no broker. An earlier attempt is open: `unknown`.
 * The store does not know it: nothing was done.
 */
export interface Refusals {
  /** @param failure what the answer says if the store does not have a better one */
  refuse(waiting: Waiting, failure: Failure): void;
  /** Resolves once nothing is being asked. */
  idle(): Promise<void>;
}

export interface RefusalsOptions {
  readonly store: CartStore;
  readonly room: WaitingRoom;
  readonly transactions: Transactions;
  /** Whether the outbox may hold an event of this order. */
  readonly isUnsettled: (orderId: string) => boolean;
  /** Whether the store is level with the log. */
  readonly isLevel: () => boolean;
  /** The idempotency keys of the batches under way. A look-up adds its own. */
  readonly keysInFlight: Set<string>;
  /** Called after a look-up, because a batch may wait for its idempotency keys. */
  readonly onKeysFree: () => void;
  /** Ms since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
}

interface Entry {
  readonly request: Waiting['request'];
  readonly waiting: Waiting;
  readonly failure: Failure;
}

/** One look-up at a time. The requests that come meanwhile share the next one, so a flood of refusals stays cheap. */
export const createRefusals = (options: RefusalsOptions): Refusals => {
  const { store, room, transactions, isUnsettled, keysInFlight, logger } = options;
  let pending: Entry[] = [];
  let asking: Promise<void> | null = null;

  const isOpen = ({ waiting }: Entry): boolean => !waiting.answered && !waiting.stored;

  const give = ({ waiting, failure, request }: Entry, outcome: 'unknown' | 'nothing done'): void =>
    room.answer(waiting, failedWith(failure, outcome === 'unknown' ? outcome : nothingDone(request.command)));

  const isUncertain = ({ waiting, request }: Entry): boolean =>
    transactions.isInDoubt || room.hasOtherAttempts(waiting) || isUnsettled(request.command.orderId);

  /** Before the store is level with the log, it cannot say what is not there. */
  const isFinal = ({ code }: Refusal): boolean =>
    options.isLevel() || (code !== 'OrderNotFound' && code !== 'StatusNotAllowed');

  const giveAnswer = (entry: Entry, answer: Answer): void => {
    if (!isOpen(entry)) return;
    if (isUncertain(entry)) give(entry, 'unknown');
    else if (answer.kind === 'refused' && !isFinal(answer.refusal)) give(entry, 'nothing done');
    else room.answer(entry.waiting, answer);
  };

  /** @throws StoreError */
  const ask = async (entries: readonly Entry[], keys: readonly string[]): Promise<void> => {
    await transactions.commitUnanswered();
    const loaded = await store.load([...new Set(entries.map(({ request }) => request.command.orderId))], keys);
    // What became uncertain during the look-up is not decided by it.
    for (const entry of entries) if (isOpen(entry) && isUncertain(entry)) give(entry, 'unknown');
    const { plan, undone } = planWithoutEvents(entries.filter(isOpen), loaded, options.now());
    for (const { entry, answer } of plan.answers) giveAnswer(entry, answer);
    for (const entry of undone) give(entry, 'nothing done');
    const { idempotency, forgotten } = plan;
    if (plan.answersAfterCommit.length > 0) {
      const known = idempotency.filter(({ refusal }) => refusal === null || isFinal(refusal));
      await transactions.commit({ idempotency: known, forgotten });
      for (const { entry, answer } of plan.answersAfterCommit) giveAnswer(entry, answer);
    }
  };

  const askInTurn = async (): Promise<void> => {
    while (pending.length > 0) {
      const entries = pending.slice(0, MAX_BATCH).filter(isOpen);
      pending = pending.slice(MAX_BATCH);
      const isBusy = ({ request: { idempotencyKey } }: Entry): boolean =>
        idempotencyKey !== null && keysInFlight.has(idempotencyKey);
      const free = entries.filter((entry) => !isBusy(entry));
      // Another attempt under the key is in a batch, or this one is.
      for (const entry of entries) if (isBusy(entry)) give(entry, 'unknown');
      const keys = [...new Set(free.flatMap(({ request }) => request.idempotencyKey ?? []))];
      for (const key of keys) keysInFlight.add(key);
      try {
        // One at a time, because each must see what the one before it has stored.
        // oxlint-disable-next-line no-await-in-loop
        if (free.length > 0) await ask(free, keys);
      } catch (error) {
        logger.error(
          { err: error },
          'the store failed when it was asked about refused requests; their outcome is unknown',
        );
        for (const entry of free) if (isOpen(entry)) give(entry, 'unknown');
      } finally {
        for (const key of keys) keysInFlight.delete(key);
        if (keys.length > 0) options.onKeysFree();
      }
    }
    asking = null;
  };

  const schedule = oncePerTurn(() => {
    if (pending.length > 0) asking ??= askInTurn();
  });

  return {
    refuse(waiting, failure) {
      // While the store hangs, the room goes on answering at the deadline.
      if (pending.length > 2 * room.size + MAX_BATCH) pending = pending.filter(isOpen);
      pending.push({ request: waiting.request, waiting, failure });
      schedule();
    },
    async idle() {
      if (pending.length > 0) asking ??= askInTurn();
      await asking;
    },
  };
};
