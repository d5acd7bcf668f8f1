import { streamEvents } from './event_stream.ts';
import { callReachable, type Problem, refused, type Reply, type Service } from '../service_client.ts';
import { visible } from '../visible.ts';
import type { TailedEvent } from './line.ts';

export interface TailViewOptions {
  readonly service: Service;
  readonly from: 'earliest' | 'latest';
  /** Only events of this order. */
  readonly orderId: string | undefined;
  readonly signal: AbortSignal;
  readonly onNote: (text: string) => void;
}

type Sequenced = TailedEvent & { readonly sequence: number };

/** Reads the events of the view without end. @throws Failure */
export async function* tailView(options: TailViewOptions): AsyncGenerator<TailedEvent, void> {
  const { service, from, orderId, signal, onNote } = options;
  let last = from === 'earliest' ? 0 : null;

  /** The events of the order that were not yielded yet. */
  async function* catchUp(): AsyncGenerator<Sequenced> {
    for (const event of await eventsOf(options, last ?? 0)) {
      last = event.sequence;
      yield event;
    }
  }

  if (last !== null && orderId !== undefined) yield* catchUp();
  const stream = streamEvents({
    service,
    path: '/events/stream',
    lastEventId: last === null ? null : String(last),
    signal,
    onLost: (reason, waitMs) => onNote(`connection lost (${visible(reason)}), trying again in ${waitMs / 1_000} s`),
  });
  for await (const { event: kind, data } of stream) {
    // The service no longer keeps all events since the last one. For a single order they are few, and can be read.
    if (kind === 'reset' && last !== null && orderId !== undefined) yield* catchUp();
    else if (kind === 'reset')
      onNote(`some events are missing here, because too many came since; tail --topic reads all: ${visible(data)}`);
    if (kind !== 'order') continue;
    const event = JSON.parse(data) as Sequenced;
    if ((orderId !== undefined && event.orderId !== orderId) || event.sequence <= (last ?? 0)) continue;
    last = event.sequence;
    yield event;
  }
}

interface Page {
  readonly events: readonly Omit<Sequenced, 'orderId'>[];
  readonly next: string | null;
}

/** The most events of one order's past that are shown. */
const MAX_EVENTS = 10_000;

/** Returns the events of the order after the given one, oldest first; if there are too many, the newest of them. */
const eventsOf = async ({ service, orderId = '', signal }: TailViewOptions, after: number): Promise<Sequenced[]> => {
  const newestFirst: Sequenced[] = [];
  for (let next: string | null = ''; next !== null && newestFirst.length < MAX_EVENTS;) {
    const path: string = `/orders/${orderId}/events?limit=1000${next === '' ? '' : `&after=${encodeURIComponent(next)}`}`;
    const reply: Reply<Page | Problem | null> = await callReachable(service, path, {}, signal);
    const { status, body } = reply;
    // The order does not exist yet.
    if (status === 404 && body !== null && 'code' in body && body.code === 'OrderNotFound') break;
    if (status !== 200 || body === null || !('events' in body)) throw refused(service, path, status, body as Problem);
    const newer = body.events.filter(({ sequence }) => sequence > after);
    newestFirst.push(...newer.map((event) => ({ orderId, ...event })));
    next = newer.length < body.events.length ? null : body.next;
  }
  return newestFirst.toReversed();
};
