import { randomUUID } from 'node:crypto';

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/**
 * The `traceparent` for an event, by W3C Trace Context level 1: a new span in the trace of the request, or in a new
 * trace where the request brought none that is valid.
 */
export const childTraceparent = (incoming: string | undefined): string => {
  const [, traceId = hex(32), flags = '00'] = TRACEPARENT.exec(incoming ?? '') ?? [];
  return `00-${traceId}-${hex(16)}-${flags}`;
};

const hex = (digits: number): string => randomUUID().replaceAll('-', '').slice(-digits);
