import type { Logger } from 'pino';
import { StoreError } from '#service_common/store_error.ts';
import { type CartBatch, type CartStore, type Committed, EMPTY_CART_BATCH } from '#cart_service/store/cart_store.ts';
import type { Settlements } from './settlements.ts';

/** The write path's transactions on the store. Each takes along what was acknowledged since the last one. */
export interface Transactions {
  /** @throws StoreError, nothing of the transaction being applied unless its code is `STORE_IN_DOUBT` */
  commit(part: Partial<CartBatch>): Promise<Committed>;
  /**
   * Stores the fingerprints of all requests that were acknowledged after their client had its answer. A request that is
   * repeated is recognised only by what the store has. @throws StoreError
   */
  commitUnanswered(): Promise<void>;
  /** Commits what was acknowledged, unless another transaction takes it along within 50 ms. */
  settleSoon(): void;
  /** Whether the last transaction failed so that a recovery may find it. Until another one succeeds, nothing is certain. */
  readonly isInDoubt: boolean;
  /** Commits what was acknowledged. @throws StoreError */
  commitSettled(): Promise<void>;
  /** Commits what was acknowledged. If the store fails, the next start learns it from the log. */
  settle(): Promise<void>;
}

/** How long acknowledgements wait for another transaction before they get one of their own. */
const SETTLE_IDLE_MS = 50;
const IDEMPOTENCY_KEYS_KEPT_MS = 24 * 60 * 60 * 1_000;
/** The store forgets up to 500 keys at a time, so this is enough for some thousand keys a second. */
const EXPIRY_INTERVAL_MS = 100;

export const createTransactions = (options: {
  store: CartStore;
  settlements: Settlements;
  /** Ms since 1970. */
  now: () => number;
  logger: Logger;
}): Transactions => {
  const { store, settlements, now, logger } = options;
  let nextExpiry = 0;
  /** Settles when the commits under way have stored the fingerprints that they took along. */
  let storingUnanswered: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let isInDoubt = false;

  const commit = async (part: Partial<CartBatch>): Promise<Committed> => {
    // A monotonic clock: the one that gives the keys their age can be set back.
    const startedAt = performance.now();
    const expireBefore = startedAt >= nextExpiry ? now() - IDEMPOTENCY_KEYS_KEPT_MS : null;
    const settled = settlements.take();
    const committed = store
      .commit({ ...EMPTY_CART_BATCH, ...settled, expireBefore, ...part, positions: furthest(settled, part) })
      .catch((error: unknown) => {
        settlements.giveBack(settled);
        if (!(error instanceof StoreError) || error.code === 'STORE_IN_DOUBT') isInDoubt = true;
        throw error;
      });
    if (settled.unanswered.length > 0) storingUnanswered = Promise.allSettled([storingUnanswered, committed]);
    const result = await committed;
    settlements.stored(settled);
    isInDoubt = false;
    if (expireBefore !== null) nextExpiry = startedAt + EXPIRY_INTERVAL_MS;
    return result;
  };

  const commitSettled = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (!settlements.isEmpty) await commit({});
  };

  const settle = async (): Promise<void> => {
    await commitSettled().catch((error: unknown) =>
      logger.error({ err: error }, 'the store failed to settle acknowledged events'),
    );
  };

  return {
    commit,
    async commitUnanswered() {
      await storingUnanswered;
      if (settlements.hasUnanswered) await commit({});
    },
    settleSoon() {
      timer ??= setTimeout(() => void settle(), SETTLE_IDLE_MS);
    },
    commitSettled,
    settle,
    get isInDoubt() {
      return isInDoubt;
    },
  };
};

/** The store keeps the last position of each partition. */
const furthest = (settled: Pick<CartBatch, 'positions'>, { positions }: Partial<CartBatch>): CartBatch['positions'] =>
  positions === undefined
    ? settled.positions
    : [...settled.positions, ...positions].toSorted((a, b) => a.next - b.next);
