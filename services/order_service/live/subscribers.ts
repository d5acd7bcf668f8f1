import type { Writable } from 'node:stream';
import { STREAM_START } from '#order_service/consumer_db.ts';

/** Events that are read from the view and sent at a time. */
export const EVENTS_PAGE = 500;

/** A client of the event stream. */
export interface Subscriber {
  readonly to: Writable;
  /** Wants the flow too. */
  readonly flow: boolean;
  /** The place in the stream up to which all events were sent. */
  place: string;
}

/** The subscribers of the event stream, and which of them are live: they have all events, and get the new ones. */
export interface Subscribers {
  /** Returns null if there are too many, or the stream is closed. A subscriber leaves when `to` closes. */
  add(to: Writable, flow: boolean): Subscriber | null;
  /** The subscriber has all events now. Does nothing if it has left. */
  makeLive(subscriber: Subscriber): void;
  readonly live: ReadonlySet<Subscriber>;
  readonly size: number;
  /** Ends all, and takes no more. */
  close(): void;
}

export const createSubscribers = ({ limit }: { readonly limit: number }): Subscribers => {
  const all = new Set<Subscriber>();
  const live = new Set<Subscriber>();
  let closed = false;

  return {
    add(to, flow) {
      if (closed || all.size >= limit) return null;
      const subscriber: Subscriber = { to, flow, place: STREAM_START };
      all.add(subscriber);
      to.once('close', () => {
        all.delete(subscriber);
        live.delete(subscriber);
      });
      to.on('error', () => {});
      return subscriber;
    },
    makeLive(subscriber) {
      if (all.has(subscriber)) live.add(subscriber);
    },
    live,
    get size() {
      return all.size;
    },
    close() {
      closed = true;
      for (const { to } of all) to.end();
    },
  };
};

/** Bytes that a live subscriber may leave unread. */
const MAX_UNSENT_BYTES = 262_144;

/** Writes to a live subscriber. One that does not read is dropped: waiting for it would take memory without bound. */
export const send = ({ to }: Subscriber, text: string): void => {
  if (to.writableLength > MAX_UNSENT_BYTES) to.destroy();
  else to.write(text);
};
