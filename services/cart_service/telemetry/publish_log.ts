import type { Logger } from 'pino';
import { parseTraceparent } from '#service_common/telemetry/trace_context.ts';
import type { PublishObserver } from '#cart_service/publishing/batches/event_sender.ts';

/** Writes a debug line for each published event, with its fate. */
export const logPublishes =
  (logger: Logger): PublishObserver =>
  ({ rows, requests, fates }) => {
    rows.forEach(({ orderId, eventId, message }, index) => {
      const traceId = parseTraceparent(message.headers['traceparent'])?.traceId;
      logger.debug({ orderId, eventId, traceId, relayed: requests === null, ...fates[index] }, 'published an event');
    });
  };
