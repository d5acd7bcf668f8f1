import type { Logger } from 'pino';
import type { LogRecord } from '#kafka_common/broker.ts';
import type { ApplyObserver } from '#order_service/consuming/apply_observers.ts';
import type { LocatedEvent } from '#order_service/consuming/decode_records.ts';
import type { DeadLetter } from '#order_service/consumer_db.ts';
import { traceIdOf } from './message_trace.ts';

/** Logs what went wrong in each transaction and, at level `debug`, a line for each event. */
export const logTransactions = (logger: Logger): ApplyObserver => {
  const isDebug = logger.isLevelEnabled('debug');
  return ({ events, history, deadLetters, keyMismatches }) => {
    if (deadLetters.length > 0) warnOfDeadLetters(logger, deadLetters);
    if (keyMismatches.length > 0) warnOfKeyMismatches(logger, keyMismatches);
    if (isDebug) events.forEach((located, index) => logEvent(logger, located, history[index]?.outcome));
  };
};

/** Characters of a dead letter's key in a log line. */
const SHOWN_KEY = 100;

/** One line for each partition, with the first of its messages. */
const warnOfDeadLetters = (logger: Logger, all: readonly DeadLetter[]): void => {
  for (const [partition, letters] of Map.groupBy(all, (letter) => letter.partition)) {
    const [first] = letters as [DeadLetter];
    const { offset, reason } = first;
    const key = first.key?.toString().slice(0, SHOWN_KEY);
    logger.warn(
      { partition, count: letters.length, offset, key, traceId: traceIdOf(first), reason },
      'messages set aside as dead letters',
    );
  }
};

/** One line for each partition, with the first of its events. */
const warnOfKeyMismatches = (logger: Logger, all: readonly LocatedEvent[]): void => {
  for (const [partition, mismatches] of Map.groupBy(all, (located) => located.partition)) {
    const [first] = mismatches as [LocatedEvent];
    logger.warn(
      { partition, count: mismatches.length, ...namesOf(first.event, first.record) },
      'events under another key than their order id',
    );
  }
};

const logEvent = (logger: Logger, { event, partition, record }: LocatedEvent, outcome: string | undefined): void => {
  logger.debug({ ...namesOf(event, record), type: event.type, partition, outcome }, 'read an event');
};

const namesOf = ({ orderId, eventId }: LocatedEvent['event'], record: LogRecord) => ({
  offset: record.offset,
  orderId,
  eventId,
  traceId: traceIdOf(record),
});
