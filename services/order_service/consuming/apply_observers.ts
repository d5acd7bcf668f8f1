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
