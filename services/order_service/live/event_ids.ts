import type { StoredEvent, ViewQueries } from '#order_service/consumer_db.ts';

/**
 * The ids of the events in the stream. An id names the view, the sequence of the event in it, and the event's place in
 * the topic. The view shows whether it was built again since. The place shows whether it was restored from an older copy,
 * which can apply the events again in another order.
 */
export const eventIdOf = (viewId: string, { sequence, partition, offset }: StoredEvent): string =>
  [viewId, sequence, partition, offset].join('-');

/** The id before the first event of every view. */
const BEGINNING = '0';

const EVENT_ID = /^([0-9a-f]{16})-([0-9]{1,15})-([0-9]{1,15})-([0-9]{1,16})$/;

/** The sequence that an id names; null if it is not the id of an event of this view. @throws StoreError */
export const sequenceOf = async (
  db: Pick<ViewQueries, 'viewId' | 'eventsAfter'>,
  id: string,
): Promise<number | null> => {
  if (id === BEGINNING) return 0;
  const [, viewId, sequence] = EVENT_ID.exec(id) ?? [];
  if (viewId !== db.viewId) return null;
  const [event] = await db.eventsAfter(Number(sequence) - 1, 1);
  return event !== undefined && eventIdOf(viewId, event) === id ? event.sequence : null;
};

/** The id of the event with this sequence. @throws StoreError */
export const idAt = async (db: Pick<ViewQueries, 'viewId' | 'eventsAfter'>, sequence: number): Promise<string> => {
  const [event] = sequence === 0 ? [] : await db.eventsAfter(sequence - 1, 1);
  return event === undefined ? BEGINNING : eventIdOf(db.viewId, event);
};
