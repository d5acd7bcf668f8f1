import type { Writable } from 'node:stream';
import type { StoredEvent, StreamedEvent, ViewQueries } from '#order_service/consumer_db.ts';
import { catchUp } from './catch_up.ts';
import { createEventSender } from './event_sender.ts';
import { flowMessage, HEARTBEAT, orderMessages } from './sse.ts';
import { createSubscribers, send } from './subscribers.ts';
import type { ViewWatch } from './view_watch.ts';

/**
 * Sends the events of the view to subscribers, as they are applied. Events are read from the view: a subscriber that
 * comes back finds what it missed, and a transaction costs nothing while nobody listens.
 */
export interface EventFeed {
  /**
   * Writes to `to` until it closes: the events after the one with the id `after` (null: only new ones), and what
   * `sendFlow` sends if `flow` is true. An `after` that is not of this view gets a reset. Returns false if there are too many subscribers.
   */
  subscribe(to: Writable, after: string | null, flow: boolean): boolean;
  /** There may be new events. */
  changed(): void;
  sendFlow(flow: unknown): void;
  readonly hasFlowSubscribers: boolean;
  readonly size: number;
  close(): void;
}

export interface EventFeedOptions {
  readonly db: Pick<ViewQueries, 'eventsAfter' | 'lastEventId' | 'missedSince'>;
  readonly watch: ViewWatch;
  /** What a client is shown of an event. */
  readonly present: (event: StoredEvent) => unknown;
  /** Subscribers at once. */
  readonly limit: number;
}

/** Proxies close a connection that is silent for longer. */
const HEARTBEAT_MS = 15_000;

export const createEventFeed = ({ db, watch, present, limit }: EventFeedOptions): EventFeed => {
  const subscribers = createSubscribers({ limit });
  const { live } = subscribers;
  const textOf = (events: readonly StreamedEvent[]): string => orderMessages(events, present);

  const sender = createEventSender({ db, live, textOf });
  const heartbeat = setInterval(() => {
    for (const subscriber of live) send(subscriber, HEARTBEAT);
  }, HEARTBEAT_MS).unref();

  return {
    subscribe(to, after, flow) {
      const subscriber = subscribers.add(to, flow);
      if (subscriber === null) return false;
      const begin = async (): Promise<void> => {
        await catchUp(db, subscriber, after, textOf);
        subscribers.makeLive(subscriber);
        const unfollow = watch.follow(sender.changed);
        to.once('close', unfollow);
        if (to.closed) unfollow();
        sender.changed();
      };
      begin().catch(() => to.destroy());
      return true;
    },
    changed: sender.changed,
    sendFlow(flow) {
      const text = flowMessage(flow);
      for (const subscriber of live) if (subscriber.flow) send(subscriber, text);
    },
    get hasFlowSubscribers() {
      return live.values().some((subscriber) => subscriber.flow);
    },
    get size() {
      return subscribers.size;
    },
    close() {
      clearInterval(heartbeat);
      sender.close();
      subscribers.close();
    },
  };
};
