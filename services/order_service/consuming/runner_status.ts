import type { EventOutcome } from '#order_service/consumer_db.ts';

export type RunnerState = 'starting' | 'waiting_for_topic' | 'consuming' | 'reconnecting';

/** Whether the runner consumes. */
export interface ConsumingStatus {
  readonly state: RunnerState;
  /** Attempts to consume again since the connection was lost; 0 while it consumes. */
  readonly attempt: number;
  readonly assigned: readonly number[];
  /** Why it does not consume; null while it consumes. */
  readonly reason: string | null;
  /** What became of the topic last; null if nothing did since the start. */
  readonly topicChange: TopicChange | null;
}

interface TopicChange {
  /** When it was noticed (ISO 8601). */
  readonly at: string;
  readonly what: string;
}

/** How far the runner has read. */
export interface PositionsStatus {
  /** Partition to the next offset that the view needs. */
  readonly positions: Readonly<Record<number, number>>;
  /** Partition to the number of records that were still unread when its last batch was read. */
  readonly lag: Readonly<Record<number, number>>;
  /**
   * Partition to the time (ISO 8601) since which an open transaction of another producer holds it up. Its records are
   * not readable before that transaction ends.
   */
  readonly heldUp: Readonly<Record<number, string>>;
  /** How often the log no longer held a partition's position: retention passed it, or the topic was made again. */
  readonly positionsLost: number;
}

/** What was applied since the start. */
export interface AppliedStatus {
  /** Events by what became of them. */
  readonly outcomes: Readonly<Record<EventOutcome, number>>;
  readonly deadLetters: number;
  /** Events under another key than their order id. They are applied, but only `version` keeps them in order. */
  readonly keyMismatches: number;
}

export interface ApplierStatus extends AppliedStatus {
  /** Why the store refused the last transaction; null if it took it. */
  readonly storeFailure: string | null;
}

export interface RunnerStatus extends ApplierStatus, ConsumingStatus, PositionsStatus {}

/** Why the view does not follow the topic; null if it does. */
export const whyNotReady = ({ reason, storeFailure }: RunnerStatus): string | null => reason ?? storeFailure;
