import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { LoggedEvent } from '#tests/checker/evidence.ts';
import type { StoredRecord } from './partition_log.ts';

/** Begins the ids of events that other producers write. */
export const FOREIGN_ID = 'foreign-';

/** Records never change, and the log is looked at often. */
const known = new WeakMap<StoredRecord, LoggedEvent | null>();

/** The event of a record; null if it is not an event. */
export const loggedEvent = (record: StoredRecord): LoggedEvent | null => {
  const before = known.get(record);
  if (before !== undefined) return before;
  const event = decoded(record);
  known.set(record, event);
  return event;
};

const decoded = (record: StoredRecord): LoggedEvent | null => {
  const read = decodeEvent(record);
  if (read.kind === 'invalid') return null;
  const { event } = read;
  const { eventId, orderId, version } = event;
  const isForeign = eventId.startsWith(FOREIGN_ID);
  return event.type === 'ORDER_CREATED'
    ? { eventId, orderId, version, status: event.order.status, order: event.order, isForeign }
    : { eventId, orderId, version, status: event.status, order: null, isForeign };
};
