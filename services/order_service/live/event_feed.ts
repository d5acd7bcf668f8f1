import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ConsumerDb, StoredEvent } from '#order_service/consumer_db.ts';

/**
 * Sends the events of the view, as they are applied, to those who listen. Each is read from the view, so that whoever
 * comes back finds what it missed, and a transaction costs nothing where nobody listens.
 */
export interface EventFeed {
  /**
   * Writes to `to` until it closes: the events after `after` (null: those to come), and where `flow`, what is sent by
   * `sendFlow`. Returns false where too many listen already.
   */
  subscribe(to: Writable, after: number | null, flow: boolean): boolean;
  /** There may be new events. */
  changed(): void;
  sendFlow(data: unknown): void;
  readonly hasFlowSubscribers: boolean;
  readonly size: number;
  close(): void;
}

export interface EventFeedOptions {
  readonly db: Pick<ConsumerDb, 'eventsAfter' | 'lastSequence'>;
  readonly present: (event: StoredEvent) => unknown;
  readonly limit: number;
}

/** Events that a subscriber may be behind and is still brought up with; one behind further has to read anew. */
const MAX_RESUMED = 10_000;
/** How long events wait for more: under load, one write brings many. */
const GATHER_MS = 20;
const PAGE = 500;
/** What a subscriber may leave unread; one that leaves more is dropped, not waited for. */
const MAX_UNSENT_BYTES = 262_144;
/** For a subscriber that is brought up with what it missed to read on. */
const DRAIN_MS = 10_000;
/** Below the time after which proxies close what is silent. */
const HEARTBEAT_MS = 15_000;

interface Subscriber {
  readonly to: Writable;
  readonly flow: boolean;
  /** The last event that was sent. */
  sequence: number;
}

export const createEventFeed = ({ db, present, limit }: EventFeedOptions): EventFeed => {
  const subscribers = new Set<Subscriber>();
  /** Those that have all there was; the others are being brought up. */
  const live = new Set<Subscriber>();
  let gathering: NodeJS.Timeout | null = null;
  let isSending = false;
  let closed = false;

  const send = ({ to }: Subscriber, text: string): void => {
    if (to.writableLength > MAX_UNSENT_BYTES) to.destroy();
    else to.write(text);
  };

  const textOf = (events: readonly StoredEvent[]): string =>
    events.map((event) => `event: order\nid: ${event.sequence}\ndata: ${JSON.stringify(present(event))}\n\n`).join('');

  /** Sends what has come since, to all that are level; one text for all of them. */
  const sendNew = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    try {
      for (;;) {
        const from = Math.min(...Array.from(live, ({ sequence }) => sequence));
        const events = live.size === 0 ? [] : await db.eventsAfter(from, PAGE);
        const last = events.at(-1)?.sequence;
        if (last === undefined) return;
        const text = textOf(events);
        for (const subscriber of live) {
          const { sequence } = subscriber;
          if (sequence >= last) continue;
          send(subscriber, sequence === from ? text : textOf(events.filter((event) => event.sequence > sequence)));
          subscriber.sequence = last;
        }
      }
    } catch {
      // A view that cannot be read now is read at the next change.
    } finally {
      isSending = false;
    }
  };

  const changed = (): void => {
    if (live.size === 0) return;
    gathering ??= setTimeout(() => {
      gathering = null;
      void sendNew();
    }, GATHER_MS);
  };

  const bringUp = async (subscriber: Subscriber, after: number | null): Promise<void> => {
    const { to } = subscriber;
    const last = await db.lastSequence();
    subscriber.sequence = after ?? last;
    if (subscriber.sequence > last || last - subscriber.sequence > MAX_RESUMED) {
      const reason = subscriber.sequence > last ? 'the view was built anew' : 'too many events were missed';
      to.write(`event: reset\ndata: ${JSON.stringify({ reason })}\n\n`);
      subscriber.sequence = last;
    }
    while (!to.destroyed) {
      const events = await db.eventsAfter(subscriber.sequence, PAGE);
      if (events.length === 0) break;
      subscriber.sequence = events.at(-1)?.sequence ?? subscriber.sequence;
      if (!to.write(textOf(events))) await once(to, 'drain', { signal: AbortSignal.timeout(DRAIN_MS) });
    }
    if (!subscribers.has(subscriber)) return;
    live.add(subscriber);
    changed();
  };

  const heartbeat = setInterval(() => {
    for (const subscriber of live) send(subscriber, ':\n\n');
  }, HEARTBEAT_MS).unref();

  return {
    subscribe(to, after, flow) {
      if (closed || subscribers.size >= limit) return false;
      const subscriber: Subscriber = { to, flow, sequence: 0 };
      subscribers.add(subscriber);
      to.once('close', () => {
        subscribers.delete(subscriber);
        live.delete(subscriber);
      });
      to.on('error', () => {});
      bringUp(subscriber, after).catch(() => to.destroy());
      return true;
    },
    changed,
    sendFlow(data) {
      const text = `event: flow\ndata: ${JSON.stringify(data)}\n\n`;
      for (const subscriber of live) if (subscriber.flow) send(subscriber, text);
    },
    get hasFlowSubscribers() {
      return live.values().some(({ flow }) => flow);
    },
    get size() {
      return subscribers.size;
    },
    close() {
      closed = true;
      clearInterval(heartbeat);
      if (gathering !== null) clearTimeout(gathering);
      for (const { to } of subscribers) to.end();
    },
  };
};
