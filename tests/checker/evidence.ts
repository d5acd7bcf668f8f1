import type { Order, OrderStatus } from '#kafka_common/models.ts';

/**
 * What the checker needs: the requests and answers of the clients, and the contents of the log and of each store. All
 * times are milliseconds of the clients' clock.
 */
export interface Evidence {
  readonly exchanges: readonly Exchange[];
  /** The records of each partition that exist for a reader, in the order of their offsets. */
  readonly log: readonly LogEntry[];
  /** The records of aborted transactions: they do not exist for a reader. Left out if they are not known. */
  readonly aborted?: readonly LogEntry[];
  /** The store after the last heal, when nothing changes any more; null if it was not read. */
  readonly cart: CartEvidence | null;
  readonly view: ViewEvidence | null;
  readonly processes: readonly ProcessEvidence[];
  readonly heals: readonly Heal[];
  /** Positions committed to the group, each with the position of the view at that moment (`viewNext`). */
  readonly commits: readonly { readonly partition: number; readonly next: number; readonly viewNext: number }[];
  /** When the Cart Service said that it was ready, and for how long a leader had been down then. Left out if not watched. */
  readonly readyWithout?: readonly { readonly leader: number; readonly downMs: number }[];
  /** When the planning of one request failed by a fault of the Cart Service. Left out if not known. */
  readonly planningFaults?: readonly number[];
  /** Redrives of all held letters: the newest of them at the start, and the letters that were published, by id. */
  readonly redrives?: readonly { readonly until: number; readonly published: readonly number[] }[];
  /** From when on nothing failed any more, and each leader had taken an event; left out if there was no such time. */
  readonly calmFrom?: number;
  readonly limits: Limits;
}

export interface Limits {
  /** `REQUEST_DEADLINE_MS` of the Cart Service, plus the time on the network. */
  readonly answerMs: number;
  readonly first200Ms: number;
  readonly agreeMs: number;
  readonly residentBytes: number;
  /** How much `writtenAt` may differ from the clients' clock. */
  readonly clockMs: number;
  /** How long the Cart Service may be ready without a leader. Left out if that is not watched. */
  readonly noticeMs?: number;
}

/** `key` is the idempotency key. */
export type ClientRequest =
  /** Creates with an equal `body` are the same request; without one, all creates of an order are. */
  | { readonly kind: 'create'; readonly orderId: string; readonly body?: string; readonly key?: string | null }
  | { readonly kind: 'update'; readonly orderId: string; readonly status: OrderStatus; readonly key?: string | null }
  | { readonly kind: 'read'; readonly orderId: string };

/** One request and its answer. */
export interface Exchange {
  readonly request: ClientRequest;
  readonly askedAt: number;
  /** Null: no answer came, because the connection was refused or lost, or the service died. */
  readonly answer: ClientAnswer | null;
  readonly endedAt: number;
  /** The connection was refused, so the request was not received. */
  readonly refusedConnection?: boolean;
  /** Its event is so large that the log may refuse it for what it is. */
  readonly isLarge?: boolean;
}

export interface ClientAnswer {
  readonly status: number;
  /** The `code` of an error answer; null for a 200. */
  readonly code: string | null;
  /** The `outcome` of a 503: `not_created`, `not_updated` or `unknown`. */
  readonly outcome: string | null;
}

/** A record of the topic. */
export interface LogEntry {
  readonly partition: number;
  readonly offset: number;
  /** When the log took it, on the clients' clock; null if that is not known. */
  readonly writtenAt: number | null;
  /** Null: it is not an event (poison). */
  readonly event: LoggedEvent | null;
  /** True if the Cart Service wrote it. Left out if that is not known. */
  readonly isOwn?: boolean;
}

export interface LoggedEvent {
  readonly eventId: string;
  readonly orderId: string;
  /** Null if the producer does not count versions. */
  readonly version: number | null;
  readonly status: OrderStatus;
  /** The created order; null for a status update. */
  readonly order: Order | null;
  /** True if another producer wrote it: no request of the clients did. */
  readonly isForeign?: boolean;
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
  /** Statuses that came before their order. */
  readonly pending: readonly { readonly orderId: string; readonly version: number; readonly status: OrderStatus }[];
  readonly deadLetters: readonly { readonly partition: number; readonly offset: number }[];
  /** Where the events of all histories lie in the log. Left out if that was not read. */
  readonly history?: readonly { readonly partition: number; readonly offset: number }[];
}

export interface ProcessEvidence {
  readonly name: string;
  /** How it ended, once for each time that it ended by itself. */
  readonly crashes: readonly string[];
  readonly peakResidentBytes: number;
}

/** The end of a fault. */
export interface Heal {
  readonly at: number;
  /** The first 200 of a write that was asked after the heal; null: none came. */
  readonly first200At: number | null;
  /** When cart and view agreed; null: they did not agree before the wait ended. */
  readonly agreedAt: number | null;
}

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9';

export interface Violation {
  readonly invariant: Invariant;
  /** The broken rule in a few words, the same for every order. */
  readonly name: string;
  /** Null: the violation does not concern a single order. */
  readonly orderId: string | null;
  /** A short account for people: the exchanges, the log, and each store. */
  readonly story: string;
}
