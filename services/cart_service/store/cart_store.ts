import type { TextMessage } from '#kafka_common/broker.ts';
import type { OrderState, Refusal } from '#cart_service/order_commands.ts';

/**
 * The seam of the Cart Service's store: the state that each order was promised, and the outbox with the events that the
 * broker has not acknowledged yet. It is asynchronous and takes whole batches, so that a database server can stand behind
 * it. Every store must pass `tests/contracts/cart_store_contract.ts`.
 */

/** An event that is stored and not known to be acknowledged. */
export interface OutboxRow {
  /** The order of publishing: unique, and larger for each later event. */
  readonly seq: number;
  readonly eventId: string;
  readonly orderId: string;
  readonly message: TextMessage;
  /**
   * That of the request which caused the event, to recognise its repetition. Null for an update under an idempotency key:
   * there the key shows it.
   */
  readonly fingerprint: string | null;
  readonly idempotencyKey: string | null;
}

/** The first answer to a request with an `Idempotency-Key`. */
export interface IdempotencyRecord {
  readonly key: string;
  readonly fingerprint: string;
  readonly orderId: string;
  /** The error in that answer; null for a success. */
  readonly refusal: Refusal | null;
  /** Ms since 1970. */
  readonly createdAt: number;
}

/** The store knows all events of a partition below an offset. */
export interface SeenPosition {
  readonly partition: number;
  readonly topicId: string;
  /** The first offset that it does not know. */
  readonly next: number;
}

/** An acknowledged event of this service before which the log may hold events that the store does not know. */
export interface AheadEvent {
  readonly orderId: string;
  readonly version: number;
  readonly offset: number;
}

/** A request that took effect, and whose client never got a success. */
export interface UnansweredRequest {
  readonly orderId: string;
  readonly fingerprint: string;
  /** When it is to be forgotten, like an idempotency record of that age, ms since 1970. Null for a create: never. */
  readonly at: number | null;
}

/**
 * The request of an event whose client got no success.
 * @param now ms since 1970
 * @returns none if its repetition is recognised by its idempotency key
 */
export const unansweredBy = ({ orderId, fingerprint, message }: OutboxRow, now: number): UnansweredRequest[] =>
  fingerprint === null
    ? []
    : [{ orderId, fingerprint, at: message.headers['ce_type'] === 'ORDER_CREATED' ? null : now }];

export const versionOf = ({ message }: OutboxRow): number => (JSON.parse(message.value) as { version: number }).version;

/** The next state of an order, and the one that it was decided on; null if there was no order. */
export interface DecidedOrder {
  readonly state: OrderState;
  readonly previous: OrderState | null;
}

/** One transaction. Every part may be empty. Parts apply in the order of the fields, so new state wins over state taken back. */
export interface CartBatch {
  /** Events that the broker acknowledged: they leave the outbox. */
  readonly settled: readonly OutboxRow[];
  /** Acknowledged events that were not read, and before which others may have written. Orders of another version stay. */
  readonly ahead: readonly AheadEvent[];
  /** The topic was made again: its offsets begin again, so all that `ahead` has stored is forgotten. */
  readonly isNewTopic: boolean;
  /** Requests acknowledged after their client had its answer, or whose client got none. */
  readonly unanswered: readonly UnansweredRequest[];
  /** Unanswered requests that were repeated, and whose client gets its success now. */
  readonly forgotten: readonly Pick<UnansweredRequest, 'orderId' | 'fingerprint'>[];
  /**
   * Events certainly not written: they leave the outbox, with the records of their keys. The order goes back to `previous`
   * only if it still has exactly this state, and the log did not teach its version meanwhile. An event that another
   * instance has taken over stays: that one publishes it.
   */
  readonly takenBack: readonly (DecidedOrder & { readonly row: OutboxRow })[];
  /** Events that are in no log and will get into none: they leave the outbox, with all that remembers their requests. */
  readonly dropped: readonly OutboxRow[];
  /**
   * Orders as the log has them. A later version in the store stays: a command may have been decided meanwhile. The store
   * keeps that the log has this version: such an order is not taken back.
   */
  readonly learned: readonly LearnedOrder[];
  /**
   * Decisions. One whose order is not as it was decided on, or has an open event, is lost, with the order's event and
   * record: another instance or the log was faster.
   */
  readonly orders: readonly DecidedOrder[];
  readonly outbox: readonly OutboxRow[];
  /** Records of the answers. A record that another instance has made under the key makes the decision on the order lost. */
  readonly idempotency: readonly IdempotencyRecord[];
  readonly positions: readonly SeenPosition[];
  /**
   * Forget idempotency records and unanswered requests older than this (ms since 1970), a bounded number at a time. Null:
   * forget none.
   */
  readonly expireBefore: number | null;
}

/** What a transaction did not do, because another instance or the log was faster. */
export interface Committed {
  /** The ids of orders whose decision must be made again. */
  readonly lost: ReadonlySet<string>;
  /** The ids of orders whose events were not taken back: another instance publishes them. */
  readonly takenOver: ReadonlySet<string>;
}

export const EMPTY_CART_BATCH: CartBatch = {
  settled: [],
  ahead: [],
  isNewTopic: false,
  unanswered: [],
  forgotten: [],
  takenBack: [],
  dropped: [],
  learned: [],
  orders: [],
  outbox: [],
  idempotency: [],
  positions: [],
  expireBefore: null,
};

/** What was read from the log about an order. */
export interface LoggedOrder {
  /** The highest version read; 0 if none was. */
  readonly version: number;
  /** A status was read, and the creation of the order was not. */
  readonly isPending: boolean;
  /** The offset of the acknowledged event with the order's version, if it was stored by `ahead`. */
  readonly ahead: number | null;
}

export interface LearnedOrder extends OrderState {
  /** Left out: false. */
  readonly isPending?: boolean;
  /** The highest version read from the log. Left out: `version`. */
  readonly logged?: number;
}

export interface LoadedOrders {
  readonly orders: ReadonlyMap<string, OrderState>;
  /** For each of `orders`. */
  readonly logged: ReadonlyMap<string, LoggedOrder>;
  /** Order id to the fingerprints of its requests that took effect, and whose client never got a success. */
  readonly unanswered: ReadonlyMap<string, readonly string[]>;
  readonly idempotency: ReadonlyMap<string, IdempotencyRecord>;
  /** Those orders of which another instance holds an open event. Nothing can be decided on them yet. */
  readonly openElsewhere: ReadonlySet<string>;
}

/** What instances that share a store settle among themselves. */
export interface StoreSharing {
  /** Takes over events of instances that are gone, a bounded number at a time. @throws StoreError */
  takeOver(): Promise<readonly OutboxRow[]>;
  /** Gives events of this instance to the one that takes them over first. @throws StoreError */
  release(rows: readonly OutboxRow[]): Promise<void>;
  /** Whether this instance reads for all what others write to the log. It is asked before each read. @throws StoreError */
  mayRead(): Promise<boolean>;
}

export interface CartStore {
  /** Loads what is needed to decide commands on these orders and under these idempotency keys. @throws StoreError */
  load(orderIds: readonly string[], idempotencyKeys: readonly string[]): Promise<LoadedOrders>;
  /**
   * One transaction, synced to disk when it resolves.
   * @throws StoreError, nothing of the batch being applied unless the code is `STORE_IN_DOUBT`
   */
  commit(batch: CartBatch): Promise<Committed>;
  /**
   * The events that this instance is to publish, in publishing order: those that an earlier process left. The batches that
   * were in flight when it ended bound their number.
   */
  outbox(): Promise<readonly OutboxRow[]>;
  /** A number for the next event. All that follow are free too. */
  firstSeq(): Promise<number>;
  positions(): Promise<readonly SeenPosition[]>;
  /** Null if only this process uses the store. */
  readonly sharing: StoreSharing | null;
  close(): Promise<void>;
}
