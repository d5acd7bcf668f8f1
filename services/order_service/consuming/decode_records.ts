import type { LogRecord, Topic } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { DeadLetter } from '#order_service/consumer_db.ts';

/** An event and the message that it came in. */
export interface LocatedEvent {
  readonly event: OrderEvent;
  readonly partition: number;
  readonly record: LogRecord;
}

/** What a transaction's records hold, each list in the order of the records. */
export interface DecodedRecords {
  readonly events: readonly LocatedEvent[];
  readonly deadLetters: readonly DeadLetter[];
  /** Those of `events` whose key is not their order id. */
  readonly keyMismatches: readonly LocatedEvent[];
}

interface RecordsOfPartition {
  readonly topic: Topic;
  readonly partition: number;
  readonly records: readonly LogRecord[];
}

/** @param now milliseconds since 1970 */
export const decodeRecords = (parts: readonly RecordsOfPartition[], now: number): DecodedRecords => {
  const events: LocatedEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  const keyMismatches: LocatedEvent[] = [];
  for (const { topic, partition, records } of parts) {
    for (const record of records) {
      const decoded = decodeEvent(record);
      if (decoded.kind === 'invalid') {
        const { unreadable, ...kept } = record;
        const { reason } = decoded;
        const isWhole = unreadable === undefined;
        deadLetters.push({ ...kept, topic: topic.name, partition, reason, isWhole, storedAt: now });
      } else {
        const located = { event: decoded.event, partition, record };
        events.push(located);
        if (!decoded.keyMatches) keyMismatches.push(located);
      }
    }
  }
  return { events, deadLetters, keyMismatches };
};
