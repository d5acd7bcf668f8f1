import type { Logger } from 'pino';
import { MAX_BATCH } from '#cart_service/publishing/batches/lane_work.ts';
import type { Failure } from '#cart_service/publishing/waiting/failures.ts';
import type { Waiting } from '#cart_service/publishing/waiting/waiting_room.ts';
import { type AskedStore, isOpen, type Refused } from './asked_store.ts';
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
  readonly askedStore: AskedStore;
  /** The idempotency keys of the batches under way. A look-up adds its own. */
  readonly keysInFlight: Set<string>;
  /** Called after a look-up, because a batch may wait for its idempotency keys. */
  readonly onKeysFree: () => void;
  /** How many requests may wait at once. */
  readonly limit: number;
  readonly logger: Logger;
}

/** One look-up at a time. The requests that come meanwhile share the next one, so a flood of refusals stays cheap. */
export const createRefusals = (options: RefusalsOptions): Refusals => {
  const { askedStore, keysInFlight, logger } = options;
  let pending: Refused[] = [];
  let asking: Promise<void> | null = null;

  const isBusy = ({ request: { idempotencyKey } }: Refused): boolean =>
    idempotencyKey !== null && keysInFlight.has(idempotencyKey);

  const ask = async (refused: readonly Refused[]): Promise<void> => {
    // Another attempt under the key is in a batch, or this one is.
    askedStore.answerUnknown(refused.filter(isBusy));
    const free = refused.filter(isOpen);
    if (free.length === 0) return;
    const keys = [...new Set(free.flatMap(({ request }) => request.idempotencyKey ?? []))];
    for (const key of keys) keysInFlight.add(key);
    try {
      await askedStore.answer(free, keys);
    } catch (error) {
      logger.error({ err: error }, 'the store failed when it was asked about requests; their outcome is unknown');
      askedStore.answerUnknown(free);
    } finally {
      for (const key of keys) keysInFlight.delete(key);
      if (keys.length > 0) options.onKeysFree();
    }
  };

  const askInTurn = async (): Promise<void> => {
    while (pending.length > 0) {
      const refused = pending.slice(0, MAX_BATCH);
      pending = pending.slice(MAX_BATCH);
      await ask(refused);
    }
    asking = null;
  };

  const begin = (): void => {
    if (pending.length > 0) asking ??= askInTurn();
  };
  const schedule = oncePerTurn(begin);

  return {
    refuse(waiting, failure) {
      // While the store hangs, the room goes on answering at the deadline.
      if (pending.length > 2 * options.limit) pending = pending.filter(isOpen);
      pending.push({ request: waiting.request, waiting, failure });
      schedule();
    },
    async idle() {
      begin();
      await asking;
    },
  };
};
