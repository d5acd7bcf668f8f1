import type { Order, OrderStatus } from '#kafka_common/models.ts';

/**
 * The seam of the Order Service's store: the view of every order, how far each partition was read, and what could not
 * be read, in one place and one transaction. Batch-shaped and asynchronous, so that a database server can stand behind
 * it too; `tests/contracts/consumer_db_contract.ts` decides whether one may.
 */

/** How far one order has come: all that deciding its next event needs. Its body is stored beside it. */
export interface OrderView {
  readonly orderId: string;
  /** The highest version applied; 0 where no event of this order had one. */
  readonly version: number;
  /** The status now; the body keeps the one that the order was created with. */
  readonly status: OrderStatus;
  /** A status came before its order: when the first one did (ms since 1970). Null once the order is there. */
  readonly waitingSince: number | null;
}

/** A message that could not be applied, kept as it came. */
export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970, of the message. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
  readonly reason: string;
  /** When it was set aside, ms since 1970. */
  readonly storedAt: number;
}

/** How far one partition of a topic was read: the view's own truth, which the group's offsets follow. */
export interface PartitionPosition {
  readonly partition: number;
  /** Of which topic: one deleted and made again under the same name has another id, and its offsets mean something else. */
  readonly topicId: string;
  /** The offset to go on from. */
  readonly next: number;
}

/** How far a transaction moves a partition on. */
export interface PositionStep extends PartitionPosition {
  readonly topic: string;
  /**
   * The position it was decided at: null where there is none, or none of this topic id. Where the store has another one
   * by now, a second process has applied the same records, and the views that this transaction was decided on are old.
   */
  readonly from: number | null;
}

/** The effect of records of any partitions: applied whole or not at all. */
export interface AppliedBatch {
  /** Each partition at most once. */
  readonly positions: readonly PositionStep[];
  /** Each order at most once. */
  readonly views: readonly OrderView[];
  /** The orders whose body came with this batch; each has its view among `views`. */
  readonly orders: readonly Order[];
  /** Ids of the applied events that carry no version: what tells their repetition. */
  readonly unversionedEventIds: readonly string[];
  readonly deadLetters: readonly DeadLetter[];
}

/** What the decision about a batch needs to know. */
export interface LoadedViews {
  readonly views: ReadonlyMap<string, OrderView>;
  /** Those of the ids asked for that were applied before. */
  readonly seenEventIds: ReadonlySet<string>;
}

export interface ConsumerDb {
  load(orderIds: readonly string[], unversionedEventIds: readonly string[]): Promise<LoadedViews>;
  /** One transaction, synced to disk when it resolves. @throws StoreError, nothing of the batch being applied; `STORE_OVERTAKEN` where a position is not its `from` */
  applyBatch(batch: AppliedBatch): Promise<void>;
  positions(topic: string): Promise<readonly PartitionPosition[]>;

  /** The order with its present status, or null where it is unknown or only its status is. */
  order(orderId: string): Promise<Order | null>;
  /** The ids of all orders (not of statuses that wait for theirs), in the order first received, a page at a time. */
  orderIds(): AsyncIterable<readonly string[]>;
  /** Statuses waiting for their order, oldest first. */
  waiting(limit: number): Promise<readonly OrderView[]>;
  /** Dead letters in the order they were set aside, after the id of the last one seen (0: from the first). */
  deadLetters(after: number, limit: number): Promise<readonly (DeadLetter & { readonly id: number })[]>;
  counts(): Promise<{ readonly orders: number; readonly waiting: number; readonly deadLetters: number }>;
  close(): Promise<void>;
}
