import type { OrderEvent } from '#kafka_common/events.ts';
import type { Order, OrderStatus } from '#kafka_common/models.ts';

/**
 * The seam of the Order Service's store. The store holds the view of every order with its history, the position in each
 * partition, and the dead letters. One transaction changes them together.
 *
 * The seam is two contracts: `ViewWriter` applies events, `ViewQueries` answers reads. Both are asynchronous, and the
 * writer takes whole batches, so that a database server can stand behind them. A store is done when it passes
 * `tests/contracts/consumer_db_contract.ts`.
 */

/** The present state of one order: all that is needed to decide what the next event does. The body is stored beside it. */
export interface OrderView {
  readonly orderId: string;
  /** The highest version applied; 0 if no event of this order had a version. */
  readonly version: number;
  /** The present status. The body keeps the status that the order was created with. */
  readonly status: OrderStatus;
  /** When the first status arrived whose order is still missing, ms since 1970. Null once the order is there. */
  readonly pendingSince: number | null;
}

/**
 * What became of an event. `duplicate`: it was applied before, or is older than what was applied. `waiting`: it is a
 * pending status, its order has not arrived yet. `conflict`: it would create an order that exists, so it changed nothing.
 * The API and the tables use these values.
 */
export type EventOutcome = 'applied' | 'duplicate' | 'waiting' | 'conflict';

/** An event in the history of its order. */
export interface HistoryEvent {
  readonly orderId: string;
  readonly type: OrderEvent['type'];
  /** Null if the producer does not count versions. */
  readonly version: number | null;
  readonly status: OrderStatus;
  /** When it happened, ms since 1970. */
  readonly timestamp: number;
  readonly partition: number;
  readonly offset: number;
  readonly outcome: EventOutcome;
}

export interface StoredEvent extends HistoryEvent {
  /**
   * Numbers the events of the view, from 1. The numbers of one order's events rise, and so do those of one partition.
   * A store with several writers can leave numbers out, and can commit a higher one first: no reader may go on after one.
   */
  readonly sequence: number;
}

/** An event in the stream of all events. */
export interface StreamedEvent extends StoredEvent {
  /** The place after this event, as text for clients. Only its store can read it. */
  readonly id: string;
}

/** The place before the first event of every view. */
export const STREAM_START = '0';

/** A message that could not be applied, kept byte for byte if it is whole. */
export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The message's own timestamp, ms since 1970. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
  readonly reason: string;
  /** False: it was too large, or could not be decompressed. Only the first bytes of key and value are kept, and no headers. */
  readonly isWhole: boolean;
  /** When it was set aside, ms since 1970. */
  readonly storedAt: number;
}

/** What became of a redriven dead letter when it came back through the topic. */
export interface Redrive {
  /** When it was published again, ms since 1970, as the broker or the producer set it. */
  readonly at: number;
  readonly partition: number;
  readonly offset: number;
  readonly outcome: EventOutcome | 'dead_letter';
}

/** Names a dead letter by its first position in the log. */
export interface LetterPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface StoredDeadLetter extends DeadLetter {
  readonly id: number;
  readonly redrive: Redrive | null;
}

/** How far one partition was read. This is the truth; the group's committed offsets follow it. */
export interface PartitionPosition {
  readonly partition: number;
  /** A topic that was deleted and made again has the same name and another id. Its offsets mean something else. */
  readonly topicId: string;
  /** The next offset to read. */
  readonly next: number;
}

/** How far a transaction moves the position of a partition. */
export interface PositionStep extends PartitionPosition {
  readonly topic: string;
  /**
   * The position that the transaction was decided at; null if the store has none for this topic id. If the store has
   * another position by now, a second process has applied the same records, and this transaction is refused.
   */
  readonly from: number | null;
}

/** One transaction: the effect of records of any partitions. It is applied whole or not at all. */
export interface AppliedBatch {
  /** Each partition at most once. */
  readonly positions: readonly PositionStep[];
  /** Each order at most once. */
  readonly views: readonly OrderView[];
  /** The orders whose body came with this batch. `views` has a view of each. */
  readonly orders: readonly Order[];
  /** Ids of the applied events that have no version. Only the id shows that such an event is a repetition. */
  readonly unversionedEventIds: readonly string[];
  /** All events in the order they came, also those without effect. The partition of each is among `positions`. */
  readonly history: readonly HistoryEvent[];
  readonly deadLetters: readonly DeadLetter[];
  readonly redriven: readonly (Redrive & { readonly letter: LetterPosition })[];
  /** `basis` of what it was decided on. Null: it depends on nothing that was loaded. */
  readonly basis: unknown;
}

/** What the decision about a batch needs to know. */
export interface LoadedViews {
  readonly views: ReadonlyMap<string, OrderView>;
  /** Those of the given ids that were applied before. */
  readonly seenEventIds: ReadonlySet<string>;
  /** What the store must remember of what was loaded, to notice a change of it. Only the store can read it. */
  readonly basis: unknown;
}

/** An order with its present status. */
export interface ViewedOrder extends Order {
  /** The highest version applied; 0 if no event of this order had a version. */
  readonly version: number;
}

/** What the listing sorts orders by. */
export interface OrderSortKey {
  /** The order's date, ms since 1970. */
  readonly orderedAt: number;
  /** Counts the orders of this view in the order first received. */
  readonly arrival: number;
}

export interface OrderPage {
  /** Can be fewer than the limit although more follow, if the store had to look at many orders to find them. */
  readonly orders: readonly ViewedOrder[];
  /** The next page begins after this key. Null: this is the last page. */
  readonly next: OrderSortKey | null;
}

/** Which orders to list; each part may be left out. `from` and `to` compare the order's date, ms since 1970. */
export interface OrderFilter {
  readonly status?: OrderStatus | undefined;
  readonly customerId?: string | undefined;
  readonly from?: number | undefined;
  /** Exclusive. */
  readonly to?: number | undefined;
}

/** `held`: it has not come back through the topic since it was set aside. */
export type DeadLetterState = 'held' | 'redriven' | 'all';

interface Counts {
  readonly orders: number;
  /** Pending statuses. */
  readonly pending: number;
  /** All dead letters that were ever set aside. */
  readonly deadLetters: number;
  readonly heldDeadLetters: number;
}

/** Applies events to the view. */
export interface ViewWriter {
  load(orderIds: readonly string[], unversionedEventIds: readonly string[]): Promise<LoadedViews>;
  /**
   * Commits one transaction. It is synced to disk when the promise resolves.
   * @throws StoreError if nothing of the batch was applied; `STORE_OVERTAKEN` if a position is not its `from`;
   * `STORE_CHANGED` if another process has changed an order since `basis` was loaded
   */
  applyBatch(batch: AppliedBatch): Promise<void>;
  positions(topic: string): Promise<readonly PartitionPosition[]>;
}

/** Answers reads from the view. Every query @throws StoreError `STORE_UNAVAILABLE`. */
export interface ViewQueries {
  /**
   * The identity of this view: random, and the same for as long as the view exists. A view that was rebuilt, or begun
   * again after its deletion, has another one. The ids of its stream name it.
   */
  readonly viewId: string;
  /** Another number after each commit of another process. A commit of this process may leave it as it is. */
  commits(): Promise<number>;
  /** Those of the ids whose order is there, in no order. */
  knownAmong(orderIds: readonly string[]): Promise<readonly string[]>;
  /** The order, or null if it is unknown or only its status is known. */
  order(orderId: string): Promise<ViewedOrder | null>;
  /** Newest date first, then latest arrival first. `after` is `next` of the page before. */
  orders(filter: OrderFilter, after: OrderSortKey | null, limit: number): Promise<OrderPage>;
  /** The events of one order before `sequence` (null: all), newest first. Null if nothing of the order is known. */
  history(orderId: string, before: number | null, limit: number): Promise<readonly StoredEvent[] | null>;
  /**
   * The events of all orders after a place in the stream: those of one partition in the order of the log. Fewer than
   * `limit`: there were no more at this moment.
   * @param after a place that the store has given, or `STREAM_START`
   * @param upTo a later place, which bounds the events
   */
  eventsAfter(after: string, limit: number, upTo?: string): Promise<readonly StreamedEvent[]>;
  /** The place after all events. */
  lastEventId(): Promise<string>;
  /**
   * How many events come after a place, counted up to `limit`. Null if the events after it cannot be found: the text is
   * not a place in this view, or the topic was made again.
   */
  missedSince(id: string, limit: number): Promise<number | null>;
  /** The ids of all orders in the order first received, a page at a time. Orders with only a pending status are left out. */
  orderIds(): AsyncIterable<readonly string[]>;
  /** Pending statuses, oldest first. */
  pending(limit: number): Promise<readonly OrderView[]>;
  /** Dead letters in the order they were set aside, after the given id (0: from the first). */
  deadLetters(after: number, limit: number, state?: DeadLetterState): Promise<readonly StoredDeadLetter[]>;
  /** The id of the newest dead letter; 0 if there is none. */
  lastDeadLetter(): Promise<number>;
  counts(): Promise<Counts>;
}

/** An open store, which keeps both contracts. */
export interface ConsumerDb extends ViewWriter, ViewQueries {
  close(): Promise<void>;
}
