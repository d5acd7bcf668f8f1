/** What the services answer the console, and what the console makes of it. */

export type PipeState = 'starting' | 'waiting_for_topic' | 'consuming' | 'reconnecting';

export interface Sample {
  at: string;
  applied: number;
  duplicates: number;
  p50Ms: number | null;
  p99Ms: number | null;
}

export interface Partition {
  partition: number;
  end: number | null;
  position: number | null;
  lag: number | null;
}

export interface Flow {
  topic: string;
  group: string;
  state: PipeState;
  reason: string | null;
  storeFailure: string | null;
  brokerReason: string | null;
  partitions: Partition[];
  counts: { orders: number; pending: number; deadLetters: number };
  samples: Sample[];
}

export interface OrderSummary {
  orderId: string;
  customerId: string;
  orderDate: string;
  numberOfItems: number;
  totalAmount: number;
  currency: string;
  status: string;
  version: number;
}

export interface OrderDetails {
  order: {
    orderId: string;
    customerId: string;
    orderDate: string;
    items: { itemId: string; quantity: number; price: number }[];
    totalAmount: number;
    currency: string;
    status: string;
  };
  shippingCost: number;
  version: number;
}

export interface OrderEvent {
  sequence: number;
  type: string;
  version: number | null;
  status: string;
  timestamp: string;
  partition: number;
  offset: number;
  outcome: 'applied' | 'duplicate' | 'late' | 'waiting';
}

export type StreamedEvent = OrderEvent & { orderId: string };

export interface PendingStatus {
  orderId: string;
  version: number | null;
  status: string;
  ageMs: number;
}

export type Bytes = { text: string } | { base64: string } | null;

export interface DeadLetter {
  id: number;
  topic: string;
  partition: number;
  offset: number;
  timestamp: string | null;
  key: Bytes;
  value: Bytes;
  headers: { name: string; value: Bytes }[];
  reason: string;
  storedAt: string;
  redriven: { at: string; partition: number; offset: number; outcome: string } | null;
}

export interface RedriveResult {
  id: number;
  outcome: 'published' | 'not_published' | 'unknown' | 'skipped';
  partition?: number | null;
  offset?: number | null;
  detail?: string | null;
}

export interface Settings {
  service: string;
  versions: Record<string, string | null>;
  settings: { name: string; value: string; isDefault: boolean }[];
}

/** A call that did not get what it asked for. */
export interface Failure {
  /** Null: no answer came. */
  status: number | null;
  title: string;
  detail: string;
  code: string;
  outcome?: string;
  errors?: { field: string; message: string }[];
  call: string;
}

export interface Answer {
  status: number;
  headers: [string, string][];
  text: string;
  ms: number;
}

export interface Call {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | null;
}

export type Level = 'ok' | 'warn' | 'bad' | 'unknown';

export interface Condition {
  level: Level;
  /** A few words. */
  text: string;
  /** The reason as it was given. */
  detail: string | null;
}

export type CartHealth =
  | { kind: 'unknown' }
  | {
      kind: 'answers';
      ready: boolean;
      state: string;
      reason: string | null;
      waiting: number;
      unsettled: number;
      storeFailure: string | null;
      lastAcknowledgedAt: number | null;
    }
  /** It does answer, but not this page. */
  | { kind: 'forbids'; url: string }
  | { kind: 'silent'; url: string; detail: string };

export interface StreamLink {
  kind: 'connecting' | 'open' | 'lost';
  detail: string | null;
}

/** A resource that is read, and read again. */
export interface Fetched<T> {
  body: T | null;
  /** Of the address before, until this one is read. */
  last: T | null;
  failure: Failure | null;
  loading: boolean;
  reload: () => void;
}

/** One thing that a service needs for its work. */
export interface Check {
  name: string;
  ok: boolean;
  reason: string | null;
  since: string;
}
