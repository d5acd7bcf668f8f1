import type { StreamedEvent, ViewQueries } from '#order_service/consumer_db.ts';
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
  readonly textOf: (events: readonly StreamedEvent[]) => string;
}

/** How long events wait for more: under load, one write brings many. */
const GATHER_MS = 20;

export const createEventSender = ({ db, live, textOf }: EventSenderOptions): EventSender => {
  let gathering: NodeJS.Timeout | null = null;
  let isSending = false;

  /** Sends one page to the subscribers at the place of the oldest one. Returns whether more may follow. */
  const sendPage = async (): Promise<boolean> => {
    const [oldest, ...others] = live;
    if (oldest === undefined) return false;
    const { place } = oldest;
    const events = await db.eventsAfter(place, EVENTS_PAGE);
    const next = events.at(-1)?.id ?? place;
    const atPlace = [oldest, ...others.filter((subscriber) => subscriber.place === place)];
    if (events.length > 0) {
      // Most subscribers are at the same place, and share one text.
      const text = textOf(events);
      for (const subscriber of atPlace) {
        send(subscriber, text);
        subscriber.place = next;
      }
    }
    if (events.length === EVENTS_PAGE) return true;
    // All events at this moment were read. The others have read up to an earlier moment.
    for (const subscriber of others) if (subscriber.place !== next) await bringTo(subscriber, next);
    return events.length > 0;
  };

  const bringTo = async (subscriber: Subscriber, place: string): Promise<void> => {
    for (let isMore = true; isMore && live.has(subscriber);) {
      const events = await db.eventsAfter(subscriber.place, EVENTS_PAGE, place);
      isMore = events.length === EVENTS_PAGE;
      if (events.length > 0) send(subscriber, textOf(events));
      subscriber.place = isMore ? (events.at(-1)?.id ?? place) : place;
    }
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
