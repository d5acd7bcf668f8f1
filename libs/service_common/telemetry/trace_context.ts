import { randomFillSync } from 'node:crypto';

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A span as W3C Trace Context level 1 describes it. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
}

const SAMPLED = 1;

/** The span that a `traceparent` names. Null if it is missing or not valid. */
export const parseTraceparent = (traceparent: string | undefined): TraceContext | null => {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  if (match === null) return null;
  const [, traceId = '', spanId = '', flags = ''] = match;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
};

/** The span that a `traceparent` names, if its trace is recorded. Null otherwise. */
export const parseSampled = (traceparent: string | undefined): TraceContext | null => {
  const context = parseTraceparent(traceparent);
  return context !== null && (context.flags & SAMPLED) === SAMPLED ? context : null;
};

export const formatTraceparent = ({ traceId, spanId, flags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;

/**
 * The `traceparent` for an event: a new span in the trace of the request, or in a new trace if the request has no valid
 * one.
 */
export const childTraceparent = (incoming: string | undefined): string => formatTraceparent(childContext(incoming));

export const childContext = (incoming: string | undefined): TraceContext => {
  const { traceId, flags } = parseTraceparent(incoming) ?? { traceId: randomHex(TRACE_ID_BYTES), flags: 0 };
  return { traceId, spanId: randomHex(SPAN_ID_BYTES), flags };
};

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** Random bytes come from the system a page at a time. A few bytes at a time would take longer than all the rest here. */
const page = Buffer.alloc(4_096);
let used = page.length;

const randomHex = (bytes: number): string => {
  if (used + bytes > page.length) {
    randomFillSync(page);
    used = 0;
  }
  used += bytes;
  return page.toString('hex', used - bytes, used);
};
