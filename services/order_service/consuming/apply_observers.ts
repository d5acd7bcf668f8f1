import type { Logger } from 'pino';
import type { DeadLetter, HistoryEvent } from '#order_service/consumer_db.ts';
import type { DecodedRecords, LocatedEvent } from './decode_records.ts';

/** What a committed transaction changed. */
export interface AppliedTransaction extends DecodedRecords {
  /** The orders that the transaction created or changed. Orders with only a pending status are left out. */
  readonly orderIds: readonly string[];
  /** One entry for each of `events`, by index. */
  readonly history: readonly HistoryEvent[];
  readonly events: readonly LocatedEvent[];
  readonly deadLetters: readonly DeadLetter[];
  /** When decoding began, and when the commit returned, on the clock of `performance.now()` (ms). */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Is called with each transaction once it is committed: readers can see what is in it. */
export type ApplyObserver = (transaction: AppliedTransaction) => void;

/** Calls every observer. One that throws is logged. It changes nothing for the others, nor for what was applied. */
export const notifyObservers = (
  observers: readonly ApplyObserver[],
  transaction: AppliedTransaction,
  logger: Logger,
): void => {
  for (const observe of observers) {
    try {
      observe(transaction);
    } catch (error) {
      logger.error({ err: error }, 'an observer of applied events failed');
    }
  }
};
