import { once } from 'node:events';
import type { StoredEvent, ViewQueries } from '#order_service/consumer_db.ts';
import { resetMessage } from './sse.ts';
import { EVENTS_PAGE, type Subscriber } from './subscribers.ts';

/** Events that a subscriber may have missed and is still sent. One that missed more must read the orders again. */
const MAX_RESUMED = 10_000;
/** Milliseconds that a subscriber may stop reading while it is sent what it missed. */
const DRAIN_MS = 10_000;

/**
 * Sends a new subscriber the events that it missed, only as fast as it reads.
 * @param after the last event that it has; null if it wants only new ones
 * @throws StoreError, or an AbortError if it does not read
 */
export const catchUp = async (
  db: Pick<ViewQueries, 'eventsAfter' | 'lastSequence'>,
  subscriber: Subscriber,
  after: number | null,
  textOf: (events: readonly StoredEvent[]) => string,
): Promise<void> => {
  const { to } = subscriber;
  const last = await db.lastSequence();
  const wanted = after ?? last;
  const problem = wanted > last ? BUILT_AGAIN : last - wanted > MAX_RESUMED ? TOO_MANY_MISSED : null;
  if (problem !== null) to.write(resetMessage(problem));
  subscriber.sequence = problem === null ? wanted : last;
  while (!to.destroyed) {
    const events = await db.eventsAfter(subscriber.sequence, EVENTS_PAGE);
    if (events.length === 0) return;
    subscriber.sequence = events.at(-1)?.sequence ?? subscriber.sequence;
    if (!to.write(textOf(events))) await once(to, 'drain', { signal: AbortSignal.timeout(DRAIN_MS) });
  }
};

const BUILT_AGAIN = 'the view was built again';
const TOO_MANY_MISSED = 'too many events were missed';
