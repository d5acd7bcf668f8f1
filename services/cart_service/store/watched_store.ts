import type { Logger } from 'pino';
import { reasonOf } from '#service_common/reason_of.ts';
import { notifyObservers } from '#service_common/telemetry/observers.ts';
import type { CartStore } from './cart_store.ts';

export interface WatchedStore {
  readonly store: CartStore;
  /** Why the last transaction failed; null if it did not. */
  failure(): string | null;
}

const OBSERVER_FAILED = 'an observer of transactions failed; no answer is changed by that';

/** Wraps a store: measures its transactions, and keeps whether the last one failed. */
export const watchStore = (
  store: CartStore,
  onTransaction: (seconds: number) => void,
  logger: Logger,
): WatchedStore => {
  let failure: string | null = null;

  return {
    store: {
      ...store,
      async commit(batch) {
        const startedAt = performance.now();
        try {
          const committed = await store.commit(batch);
          failure = null;
          return committed;
        } catch (error) {
          failure = reasonOf(error);
          throw error;
        } finally {
          const seconds = (performance.now() - startedAt) / 1_000;
          // A committed transaction stays committed, whatever its observer throws.
          notifyObservers([onTransaction], seconds, logger, OBSERVER_FAILED);
        }
      },
    },
    failure: () => failure,
  };
};
