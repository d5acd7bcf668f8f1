import type { LogRecord } from '#kafka_common/broker.ts';
import { parseTraceparent } from '#service_common/telemetry/trace_context.ts';

type Headers = Pick<LogRecord, 'headers'>;

/** The span that published a message, as some producer wrote it; undefined where there is none. */
export const traceparentOf = ({ headers }: Headers): string | undefined =>
  headers.find(([name]) => name === 'traceparent')?.[1]?.toString('latin1');

/** The trace that a message belongs to, where its header is valid. */
export const traceIdOf = (message: Headers): string | undefined => parseTraceparent(traceparentOf(message))?.traceId;
