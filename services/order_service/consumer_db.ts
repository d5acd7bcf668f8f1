import type { OrderEvent } from '#kafka_common/events.ts';
import type { Order, OrderStatus } from '#kafka_common/models.ts';

/**
 * The seam of the Order Service's store: the view of every order with its history, how far each partition was read, and
 * what could not be read, in one place and one transaction. Batch-shaped and asynchronous, so that a database server can stand behind
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

/** What became of an event: `duplicate` is one that had been applied before, or is older than what had been. */
export type EventOutcome = 'applied' | 'duplicate' | 'waiting';

/** An event in the history of its order. */
export interface HistoryEvent {
  readonly orderId: string;
  readonly type: OrderEvent['type'];
  /** Null from producers that do not count. */
  readonly version: number | null;
  readonly status: OrderStatus;
  /** When it happened, ms since 1970. */
  readonly timestamp: number;
  readonly partition: number;
  readonly offset: number;
  readonly outcome: EventOutcome;
}

export interface StoredEvent extends HistoryEvent {
  /** Counts the events of all orders, in the order they were applied. */
  readonly sequence: number;
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

/** What became of a dead letter that was published again, when it came back through the topic. */
export interface Redrive {
  /** When it was published, ms since 1970, as the broker or the producer had it. */
  readonly at: number;
  readonly partition: number;
  readonly offset: number;
  readonly outcome: EventOutcome | 'dead_letter';
}

/** Names a dead letter by where it stood. */
export interface LetterPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface StoredDeadLetter extends DeadLetter {
  readonly id: number;
  readonly redrive: Redrive | null;
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
  /** Of all events, also those without effect, in the order they came. */
  readonly history: readonly HistoryEvent[];
  /** For each order in `history` that has been in one before, the last `sequence` that it had. */
  readonly lastEvents: ReadonlyMap<string, number>;
  readonly deadLetters: readonly DeadLetter[];
  readonly redriven: readonly (Redrive & { readonly letter: LetterPosition })[];
}

/** What the decision about a batch needs to know. */
export interface LoadedViews {
  readonly views: ReadonlyMap<string, OrderView>;
  /** The `sequence` of the last event of each order. */
  readonly lastEvents: ReadonlyMap<string, number>;
  /** Those of the ids asked for that were applied before. */
  readonly seenEventIds: ReadonlySet<string>;
}

export interface ViewedOrder extends Order {
  /** The highest version applied; 0 where no event of this order had one. */
  readonly version: number;
}

/** Where an order stands in the listing. */
export interface OrderPlace {
  /** Its date, ms since 1970. */
  readonly orderedAt: number;
  /** Counts the orders of this view in the order first received. */
  readonly arrival: number;
}

export interface OrderPage {
  /** Can be fewer than asked for though more follow, where many had to be looked at to find them. */
  readonly orders: readonly ViewedOrder[];
  /** Where to go on after; null: these were the last. */
  readonly next: OrderPlace | null;
}

/** What an order must be to be listed; each part may be left out. Times are those of the order's date, in ms since 1970. */
export interface OrderFilter {
  readonly status?: OrderStatus | undefined;
  readonly customerId?: string | undefined;
  readonly from?: number | undefined;
  /** Exclusive. */
  readonly to?: number | undefined;
}

/** `held`: not seen again since it was set aside. */
export type DeadLetterState = 'held' | 'redriven' | 'all';

interface Counts {
  readonly orders: number;
  readonly waiting: number;
  /** All that were ever set aside. */
  readonly deadLetters: number;
  readonly heldDeadLetters: number;
}

export interface ConsumerDb {
  load(orderIds: readonly string[], unversionedEventIds: readonly string[]): Promise<LoadedViews>;
  /** One transaction, synced to disk when it resolves. @throws StoreError, nothing of the batch being applied; `STORE_OVERTAKEN` where a position is not its `from` */
  applyBatch(batch: AppliedBatch): Promise<void>;
  positions(topic: string): Promise<readonly PartitionPosition[]>;

  /** The order with its present status, or null where it is unknown or only its status is. */
  order(orderId: string): Promise<ViewedOrder | null>;
  /** Newest first: by the order's date, then by its arrival. `after` is the place of the last one of the page before. */
  orders(filter: OrderFilter, after: OrderPlace | null, limit: number): Promise<OrderPage>;
  /** The events of one order, newest first, before `sequence` (null: from the last); null where none of it is known. */
  history(orderId: string, before: number | null, limit: number): Promise<readonly StoredEvent[] | null>;
  /** The events of all orders after `sequence`, oldest first. */
  eventsAfter(sequence: number, limit: number): Promise<readonly StoredEvent[]>;
  /** The `sequence` of the last event; 0 where there is none. */
  lastSequence(): Promise<number>;
  /** The ids of all orders (not of statuses that wait for theirs), in the order first received, a page at a time. */
  orderIds(): AsyncIterable<readonly string[]>;
  /** Statuses waiting for their order, oldest first. */
  waiting(limit: number): Promise<readonly OrderView[]>;
  /** Dead letters in the order they were set aside, after the id of the last one seen (0: from the first). */
  deadLetters(after: number, limit: number, state?: DeadLetterState): Promise<readonly StoredDeadLetter[]>;
  counts(): Promise<Counts>;
  close(): Promise<void>;
}
