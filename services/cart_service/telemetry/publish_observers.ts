import type { Logger } from 'pino';
import { parseTraceparent } from '#service_common/telemetry/trace_context.ts';
import type { Tracing } from '#service_common/telemetry/tracing.ts';
import type { Publish } from '#cart_service/publishing/batch_writer.ts';
import { tracePublishes } from './publish_tracing.ts';

/** Who is told of each publish beside the metrics: traces and a debug line for each event, where they are on. */
export const tellOfPublishes = (parts: {
  logger: Logger;
  tracing: Tracing | null;
  topic: string;
}): ((publish: Publish) => void)[] => {
  const { logger, tracing, topic } = parts;
  return [
    ...(tracing === null ? [] : [tracePublishes(tracing, topic)]),
    ...(logger.isLevelEnabled('debug') ? [logPublishes(logger)] : []),
  ];
};

const logPublishes =
  (logger: Logger) =>
  ({ rows, requests, fates }: Publish): void => {
    rows.forEach(({ orderId, eventId, message }, index) => {
      const traceId = parseTraceparent(message.headers['traceparent'])?.traceId;
      logger.debug({ orderId, eventId, traceId, relayed: requests === null, ...fates[index] }, 'published an event');
    });
  };
