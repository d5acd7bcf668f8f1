import { once } from 'node:events';
import type { StreamedEvent, ViewQueries } from '#order_service/consumer_db.ts';
import { resetMessage } from './sse.ts';
import { EVENTS_PAGE, type Subscriber } from './subscribers.ts';

/** Events that a subscriber may have missed and is still sent. One that missed more must read the orders again. */
const MAX_RESUMED = 10_000;
/** Milliseconds that a subscriber may stop reading while it is sent what it missed. */
const DRAIN_MS = 10_000;

type Events = Pick<ViewQueries, 'eventsAfter' | 'lastEventId' | 'missedSince'>;

/**
 * Sends a new subscriber the events that it missed, only as fast as it reads.
 * @param lastId the id of the last event that it has, of this view or another; null if it wants only new ones
 * @throws StoreError, or an AbortError if it does not read
 */
export const catchUp = async (
  db: Events,
  subscriber: Subscriber,
  lastId: string | null,
  textOf: (events: readonly StreamedEvent[]) => string,
): Promise<void> => {
  const { to } = subscriber;
  const { place, problem } = await startAfter(db, lastId);
  if (problem !== null) to.write(resetMessage(problem, place));
  subscriber.place = place;
  while (!to.destroyed) {
    const events = await db.eventsAfter(subscriber.place, EVENTS_PAGE);
    if (events.length === 0) return;
    subscriber.place = events.at(-1)?.id ?? subscriber.place;
    if (!to.write(textOf(events))) await once(to, 'drain', { signal: AbortSignal.timeout(DRAIN_MS) });
  }
};

/** The place to go on after, and why the missed events cannot be sent; null if they can. */
const startAfter = async (
  db: Events,
  lastId: string | null,
): Promise<{ readonly place: string; readonly problem: string | null }> => {
  if (lastId === null) return { place: await db.lastEventId(), problem: null };
  const missed = await db.missedSince(lastId, MAX_RESUMED + 1);
  if (missed !== null && missed <= MAX_RESUMED) return { place: lastId, problem: null };
  return { place: await db.lastEventId(), problem: missed === null ? OTHER_VIEW : TOO_MANY_MISSED };
};

const OTHER_VIEW = 'the id is not of an event of this view; was the view built again?';
const TOO_MANY_MISSED = 'too many events were missed';
