import type { StoredEvent, ViewQueries } from '#order_service/consumer_db.ts';
import { EVENTS_PAGE, send, type Subscriber } from './subscribers.ts';

/** Sends new events to the live subscribers. */
export interface EventSender {
  /** There may be new events. */
  readonly changed: () => void;
  readonly close: () => void;
}

export interface EventSenderOptions {
  readonly db: Pick<ViewQueries, 'eventsAfter'>;
  readonly live: ReadonlySet<Subscriber>;
  readonly textOf: (events: readonly StoredEvent[]) => string;
}

/** How long events wait for more: under load, one write brings many. */
const GATHER_MS = 20;

export const createEventSender = ({ db, live, textOf }: EventSenderOptions): EventSender => {
  let gathering: NodeJS.Timeout | null = null;
  let isSending = false;

  /** Sends one page to all live subscribers. Returns false if there is none. */
  const sendPage = async (): Promise<boolean> => {
    if (live.size === 0) return false;
    const from = Math.min(...Array.from(live, ({ sequence }) => sequence));
    const events = await db.eventsAfter(from, EVENTS_PAGE);
    const last = events.at(-1)?.sequence;
    if (last === undefined) return false;
    // Most subscribers have the same last event, and share one text.
    const text = textOf(events);
    for (const subscriber of live) {
      const { sequence } = subscriber;
      if (sequence >= last) continue;
      send(subscriber, sequence === from ? text : textOf(events.filter((event) => event.sequence > sequence)));
      subscriber.sequence = last;
    }
    return true;
  };

  const sendAll = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    try {
      while (await sendPage());
    } catch {
      // The view cannot be read now. The next change reads it again.
    } finally {
      isSending = false;
    }
  };

  return {
    changed: () => {
      if (live.size === 0) return;
      gathering ??= setTimeout(() => {
        gathering = null;
        void sendAll();
      }, GATHER_MS);
    },
    close: () => {
      if (gathering !== null) clearTimeout(gathering);
    },
  };
};
