import { type StoredEvent, STREAM_START, type ViewQueries } from '#order_service/consumer_db.ts';
import type { QueryStatements } from './query_statements.ts';
import { reading } from './reading.ts';
import { toStoredEvent } from './rows.ts';

/**
 * The stream of all events. There is one writer at a time, so the events have the order of their sequence. An id names
 * the view, the sequence of an event in it, and the event's place in the topic. The view shows whether it was built again
 * since. The place shows whether it was restored from an older copy, which can apply the events again in another order.
 */
const EVENT_ID = /^([0-9a-f]{16})-([0-9]{1,15})-([0-9]{1,15})-([0-9]{1,16})$/;

export const createStreamQueries = (
  sql: QueryStatements,
  viewId: string,
): Pick<ViewQueries, 'eventsAfter' | 'lastEventId' | 'missedSince'> => {
  const idOf = ({ sequence, partition, offset }: StoredEvent): string =>
    [viewId, sequence, partition, offset].join('-');

  const lastSequence = (): number => sql.lastSequence.get()?.['last'] as number;

  const idAt = (sequence: number): string => {
    const row = sql.event.get(sequence);
    return row === undefined ? STREAM_START : idOf(toStoredEvent(row));
  };

  return {
    eventsAfter: async (after, limit, upTo) =>
      reading(() =>
        sql.eventsAfter
          .all(sequenceIn(after), upTo === undefined ? Number.MAX_SAFE_INTEGER : sequenceIn(upTo), limit)
          .map((row) => {
            const event = toStoredEvent(row);
            return { ...event, id: idOf(event) };
          }),
      ),
    lastEventId: async () => reading(() => idAt(lastSequence())),
    missedSince: async (id, limit) =>
      reading(() => {
        const sequence = sequenceIn(id);
        const isOfThisView = id === STREAM_START || (EVENT_ID.test(id) && idAt(sequence) === id);
        return isOfThisView ? Math.min(limit, lastSequence() - sequence) : null;
      }),
  };
};

/** The sequence that an id names; 0 for `STREAM_START` and for what is not an id. */
const sequenceIn = (id: string): number => Number(EVENT_ID.exec(id)?.[2] ?? 0);
