import type { ErrorCode } from '#service_common/errors.ts';
import type { Command, Refusal } from './order_commands.ts';

/** A command as it came in, and what its client is told. */

export interface Request {
  readonly command: Command;
  readonly idempotencyKey: string | null;
  /** W3C trace context, passed on in the event: the span of its publishing. */
  readonly traceparent: string;
  /** The span of the request itself, as a `traceparent`, where there is tracing: the parent of the one above. */
  readonly span?: string | undefined;
}

/** What became of a command whose answer is an error: certainly nothing, now and later, or nobody knows yet. */
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

/** The outcome of a command that certainly left nothing behind. */
export const nothingDone = (command: Command): Outcome => (command.kind === 'create' ? 'not_created' : 'not_updated');
