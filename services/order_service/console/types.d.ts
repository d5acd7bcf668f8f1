/**
 * The types of the console. What the services answer is typed by the schemas that their routes validate with, so the
 * console cannot differ from the answers.
 */

import type { Static } from 'typebox';
import type { Check as CheckSchema } from '#service_common/http/health_routes.ts';
import type { Settings as SettingsSchema } from '#service_common/http/operations_routes.ts';
import type { DeadLetter as DeadLetterSchema, DeadLetters, RedriveResults } from '../app/api/dead_letters.ts';
import type { StreamedOrderEvent } from '../app/api/events_stream.ts';
import type { FlowState } from '../app/api/flow.ts';
import type { OrderHistory as OrderHistorySchema } from '../app/api/order_history.ts';
import type { OrderResource, Orders as OrdersSchema } from '../app/api/orders.ts';
import type { PendingStatuses as PendingStatusesSchema } from '../app/api/pending_statuses.ts';

export type Flow = Static<typeof FlowState>;
export type Sample = Flow['samples'][number];

export type Orders = Static<typeof OrdersSchema>;
export type OrderDetails = Static<typeof OrderResource>;
export type OrderHistory = Static<typeof OrderHistorySchema>;
export type OrderEvent = OrderHistory['events'][number];
export type StreamedEvent = StreamedOrderEvent;

export type PendingStatuses = Static<typeof PendingStatusesSchema>;
export type PendingStatus = PendingStatuses['pendingStatuses'][number];

export type DeadLetter = Static<typeof DeadLetterSchema>;
export type DeadLetterPage = Static<typeof DeadLetters>;
export type Bytes = DeadLetter['key'];
export type Redriven = NonNullable<DeadLetter['redriven']>;
export type RedrivePage = Static<typeof RedriveResults>;
export type RedriveResult = RedrivePage['results'][number];

export type Settings = Static<typeof SettingsSchema>;
/** One thing that a service needs for its work. */
export type Check = Static<typeof CheckSchema>;

/** A call that failed. */
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
  /** The reason as the service gave it. */
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
  /** It runs, but its CORS settings refuse this page. */
  | { kind: 'forbids'; url: string }
  | { kind: 'silent'; url: string; detail: string };

export interface StreamLink {
  kind: 'connecting' | 'open' | 'lost';
  detail: string | null;
}

/** A resource that can be read again. */
export interface Fetched<T> {
  body: T | null;
  /** The body of the previous URL until the body of this one is there. */
  last: T | null;
  failure: Failure | null;
  loading: boolean;
  reload: () => void;
}
