import type { Order, OrderStatus } from '#kafka_common/models.ts';

/**
 * All that a judgement needs: what clients asked and were told, what the log holds, and what each store holds. Times are
 * milliseconds of one clock, that of the clients.
 */
export interface Evidence {
  readonly exchanges: readonly Exchange[];
  /** Of each partition in offset order. */
  readonly log: readonly LogEntry[];
  /** After the last heal, once all has come to rest; null where the store was not looked into. */
  readonly cart: CartEvidence | null;
  readonly view: ViewEvidence | null;
  readonly processes: readonly ProcessEvidence[];
  readonly heals: readonly Heal[];
  /** Positions that were committed to the group while the view stood at `viewNext`. */
  readonly commits: readonly { readonly partition: number; readonly next: number; readonly viewNext: number }[];
  readonly limits: Limits;
}

export interface Limits {
  /** `REQUEST_DEADLINE_MS` of the Cart Service, and what the way there and back may take. */
  readonly answerMs: number;
  readonly first200Ms: number;
  readonly agreeMs: number;
  readonly residentBytes: number;
  /** How far `writtenAt` may be off the clock of the clients. */
  readonly clockMs: number;
}

export type AskedFor =
  /** Creates with an equal `body` are the same request; without one, all creates of an order are. */
  | { readonly kind: 'create'; readonly orderId: string; readonly body?: string }
  | { readonly kind: 'update'; readonly orderId: string; readonly status: OrderStatus }
  | { readonly kind: 'read'; readonly orderId: string };

/** One request, and what its client was told. */
export interface Exchange {
  readonly request: AskedFor;
  readonly askedAt: number;
  /** Null: no answer, as the connection was refused or lost, or the service died. */
  readonly answer: ToldAnswer | null;
  readonly endedAt: number;
  /** The connection was refused: the request has reached nobody. */
  readonly refusedConnection?: boolean;
}

export interface ToldAnswer {
  readonly status: number;
  /** Of a problem: its stable code. */
  readonly code: string | null;
  /** Of a 503: `not_created`, `not_updated` or `unknown`. */
  readonly outcome: string | null;
}

/** A record of the topic as it was read raw. */
export interface LogEntry {
  readonly partition: number;
  readonly offset: number;
  /** When the log took it, where that is known on the clock of the clients; null otherwise. */
  readonly writtenAt: number | null;
  /** Null: it is no event (poison). */
  readonly event: LoggedEvent | null;
}

export interface LoggedEvent {
  readonly eventId: string;
  readonly orderId: string;
  /** Null from producers that do not count. */
  readonly version: number | null;
  readonly status: OrderStatus;
  /** The order with its body, of a create; null for a status update. */
  readonly order: Order | null;
}

export interface CartEvidence {
  readonly orders: readonly { readonly orderId: string; readonly version: number; readonly status: OrderStatus }[];
  readonly outbox: readonly { readonly orderId: string; readonly eventId: string }[];
}

export interface ViewEvidence {
  readonly orders: readonly {
    readonly orderId: string;
    readonly version: number;
    readonly status: OrderStatus;
    /** As created. */
    readonly order: Order;
  }[];
  /** The ids as the service lists them. */
  readonly listed: readonly string[];
  readonly waiting: readonly { readonly orderId: string; readonly version: number; readonly status: OrderStatus }[];
  readonly deadLetters: readonly { readonly partition: number; readonly offset: number }[];
}

export interface ProcessEvidence {
  readonly name: string;
  /** How often it ended although nobody ended it, and how. */
  readonly crashes: readonly string[];
  readonly peakResidentBytes: number;
}

/** The end of a fault. */
export interface Heal {
  readonly at: number;
  /** The first 200 of a write that was asked for after it; null: none came. */
  readonly first200At: number | null;
  /** When cart and view agreed; null: they did not, as long as anybody waited. */
  readonly agreedAt: number | null;
}

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8';

export interface Violation {
  readonly invariant: Invariant;
  /** What is wrong, in a few words, the same for every order it happens to. */
  readonly name: string;
  /** Null: it concerns no single order. */
  readonly orderId: string | null;
  /** The shortest account of it: what the client was told, what the log holds, what each store holds. */
  readonly story: string;
}
