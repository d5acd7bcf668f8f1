import { once } from 'node:events';
import type { StoredEvent, ViewQueries } from '#order_service/consumer_db.ts';
import { idAt, sequenceOf } from './event_ids.ts';
import { resetMessage } from './sse.ts';
import { EVENTS_PAGE, type Subscriber } from './subscribers.ts';

/** Events that a subscriber may have missed and is still sent. One that missed more must read the orders again. */
const MAX_RESUMED = 10_000;
/** Milliseconds that a subscriber may stop reading while it is sent what it missed. */
const DRAIN_MS = 10_000;

type Events = Pick<ViewQueries, 'viewId' | 'eventsAfter' | 'lastSequence'>;

/**
 * Sends a new subscriber the events that it missed, only as fast as it reads.
 * @param lastId the id of the last event that it has, of this view or another; null if it wants only new ones
 * @throws StoreError, or an AbortError if it does not read
 */
export const catchUp = async (
  db: Events,
  subscriber: Subscriber,
  lastId: string | null,
  textOf: (events: readonly StoredEvent[]) => string,
): Promise<void> => {
  const { to } = subscriber;
  const { sequence, problem } = await startAfter(db, lastId);
  if (problem !== null) to.write(resetMessage(problem, await idAt(db, sequence)));
  subscriber.sequence = sequence;
  while (!to.destroyed) {
    const events = await db.eventsAfter(subscriber.sequence, EVENTS_PAGE);
    if (events.length === 0) return;
    subscriber.sequence = events.at(-1)?.sequence ?? subscriber.sequence;
    if (!to.write(textOf(events))) await once(to, 'drain', { signal: AbortSignal.timeout(DRAIN_MS) });
  }
};

/** The sequence to go on after, and why the missed events cannot be sent; null if they can. */
const startAfter = async (
  db: Events,
  lastId: string | null,
): Promise<{ readonly sequence: number; readonly problem: string | null }> => {
  const last = await db.lastSequence();
  if (lastId === null) return { sequence: last, problem: null };
  const wanted = await sequenceOf(db, lastId);
  if (wanted === null) return { sequence: last, problem: OTHER_VIEW };
  if (last - wanted > MAX_RESUMED) return { sequence: last, problem: TOO_MANY_MISSED };
  return { sequence: wanted, problem: null };
};

const OTHER_VIEW = 'the id is not of an event of this view; was the view built again?';
const TOO_MANY_MISSED = 'too many events were missed';
