import type { LogRecord } from '#kafka_common/broker.ts';
import { parseTraceparent } from '#service_common/telemetry/trace_context.ts';

type Headers = Pick<LogRecord, 'headers'>;

/** The span that published a message, as its producer wrote it (W3C Trace Context); undefined if it wrote none. */
export const traceparentOf = ({ headers }: Headers): string | undefined =>
  headers.find(([name]) => name === 'traceparent')?.[1]?.toString('latin1');

/** The trace that a message belongs to; undefined if its header is missing or not valid. */
export const traceIdOf = (message: Headers): string | undefined => parseTraceparent(traceparentOf(message))?.traceId;
