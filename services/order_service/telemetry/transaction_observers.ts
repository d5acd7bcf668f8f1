import type { Logger } from 'pino';
import type { Tracing } from '#service_common/telemetry/tracing.ts';
import { traceTransactions } from './apply_tracing.ts';
import type { Applied } from '#order_service/consuming/batch_applier.ts';
import { traceIdOf } from './message_trace.ts';

/** Who is told of each transaction beside the metrics: traces and a debug line for each event, where they are on. */
export const tellOfTransactions = (parts: {
  logger: Logger;
  tracing: Tracing | null;
  topic: string;
  group: string;
}): ((transaction: Applied) => void)[] => {
  const { logger, tracing, topic, group } = parts;
  return [
    ...(tracing === null ? [] : [traceTransactions(tracing, topic, group)]),
    ...(logger.isLevelEnabled('debug') ? [logTransactions(logger)] : []),
  ];
};

const logTransactions =
  (logger: Logger) =>
  ({ history, events }: Applied): void => {
    events.forEach(({ event, record, partition }, index) => {
      const { orderId, eventId, type } = event;
      const traceId = traceIdOf(record);
      const outcome = history[index]?.outcome;
      logger.debug({ orderId, eventId, traceId, type, partition, offset: record.offset, outcome }, 'read an event');
    });
  };
