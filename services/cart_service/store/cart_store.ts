import type { Message } from '#kafka_common/broker.ts';
import type { OrderStatus } from '#kafka_common/models.ts';
import type { Refusal } from '#cart_service/order_commands.ts';

/**
 * The seam of the Cart Service's store: what has been promised of every order, and the outbox of what the broker has
 * not acknowledged yet. Batch-shaped and asynchronous, so that a database server can stand behind it too;
 * `tests/contracts/cart_store_contract.ts` decides whether one may.
 */

/** All the Cart Service must know of an order to decide the next command. */
export interface OrderState {
  readonly orderId: string;
  /** The version of its last event, published or in the outbox. */
  readonly version: number;
  readonly status: OrderStatus;
}

/** An event on its way to the broker. */
export interface OutboxRow {
  /** Publishing order; unique and growing. */
  readonly seq: number;
  readonly eventId: string;
  readonly orderId: string;
  readonly message: Message;
  /** Of the create that caused it, to know it again; null for an update, which shows by the order's status. */
  readonly fingerprint: string | null;
}

/** The first answer to a request that came with an `Idempotency-Key`. */
export interface IdempotencyRecord {
  readonly key: string;
  readonly fingerprint: string;
  readonly orderId: string;
  /** The error that was answered; null for a success. */
  readonly refusal: Refusal | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** How far a partition of the topic is known to hold nothing that the store does not know. */
export interface SeenPosition {
  readonly partition: number;
  readonly topicId: string;
  readonly next: number;
}

/** One transaction; every part may be empty. Applied in the order of the fields: what is taken back gives way to what is new. */
export interface CartBatch {
  /** Acknowledged by the broker: leave the outbox. */
  readonly settled: readonly number[];
  /** Fingerprints of creates that were acknowledged only after their client had been answered `unknown`, or not at all. */
  readonly unanswered: readonly { readonly orderId: string; readonly fingerprint: string }[];
  /** Certainly not written: leave the outbox, and the order goes back to what it was (null: there was none). */
  readonly takenBack: readonly {
    readonly seq: number;
    readonly orderId: string;
    readonly previous: OrderState | null;
    readonly idempotencyKey: string | null;
  }[];
  /** What the log says of orders: taken where the store has no later version, as a command may have been decided meanwhile. */
  readonly learned: readonly OrderState[];
  readonly orders: readonly OrderState[];
  readonly outbox: readonly OutboxRow[];
  readonly idempotency: readonly IdempotencyRecord[];
  readonly positions: readonly SeenPosition[];
  /** Forget idempotency records older than this (ms since 1970), a bounded number at a time; null: none. */
  readonly expireBefore: number | null;
}

export const EMPTY_CART_BATCH: CartBatch = {
  settled: [],
  unanswered: [],
  takenBack: [],
  learned: [],
  orders: [],
  outbox: [],
  idempotency: [],
  positions: [],
  expireBefore: null,
};

export interface LoadedOrders {
  readonly orders: ReadonlyMap<string, OrderState>;
  /** Order id to the fingerprint of its create, where the client was never answered a success. */
  readonly unanswered: ReadonlyMap<string, string>;
  readonly idempotency: ReadonlyMap<string, IdempotencyRecord>;
}

export interface CartStore {
  /** What deciding commands on these orders and under these idempotency keys needs. */
  load(orderIds: readonly string[], idempotencyKeys: readonly string[]): Promise<LoadedOrders>;
  /** One transaction, synced to disk when it resolves. @throws StoreError, nothing of the batch being applied */
  commit(batch: CartBatch): Promise<void>;
  /** All that waits in the outbox, in publishing order. Bounded by the batches in flight when the last process ended. */
  outbox(): Promise<readonly OutboxRow[]>;
  positions(): Promise<readonly SeenPosition[]>;
  close(): Promise<void>;
}
