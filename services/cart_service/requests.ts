import type { ErrorCode } from '#service_common/errors.ts';
import type { Command, Refusal } from './order_commands.ts';

/** A request of a client for a command, and the answer that it gets. */

export interface CommandRequest {
  readonly command: Command;
  readonly idempotencyKey: string | null;
  /** W3C trace context that the event carries: the span of its publishing. */
  readonly traceparent: string;
  /** With tracing, the span of the HTTP request as a `traceparent`: the parent of the span above. */
  readonly span?: string | undefined;
}

/** What became of a command that is answered with an error: certainly nothing, now and later, or nobody knows yet. */
export type Outcome = 'not_created' | 'not_updated' | 'unknown';

export type Answer =
  /** The event is acknowledged, or there was nothing to change. */
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly outcome: Outcome; readonly detail: string };

export const DONE: Answer = { kind: 'done' };

export const failed = (code: ErrorCode, outcome: Outcome, detail: string): Answer => ({
  kind: 'failed',
  code,
  outcome,
  detail,
});

/** The outcome of a command that certainly changed nothing. */
export const nothingDone = (command: Command): Outcome => (command.kind === 'create' ? 'not_created' : 'not_updated');
