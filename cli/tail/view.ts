import { streamEvents } from './event_stream.ts';
import { callReachable, type Problem, refused, type Reply, type Service } from '../service_client.ts';
import { visible } from '../visible.ts';
import type { TailedEvent } from './line.ts';

export interface TailViewOptions {
  readonly service: Service;
  readonly from: 'earliest' | 'latest';
  /** Only of this order. */
  readonly orderId: string | undefined;
  readonly signal: AbortSignal;
  readonly onNote: (text: string) => void;
}

type Sequenced = TailedEvent & { readonly sequence: number };

/** The events of the view as they come, for ever. @throws Failure */
export async function* tailView(options: TailViewOptions): AsyncGenerator<TailedEvent, void> {
  const { service, from, orderId, signal, onNote } = options;
  let last = from === 'earliest' ? 0 : null;

  /** What the view has of the order beyond what was told. */
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
    // More has happened than the service tells anew. Of one order it is little, and can be asked for.
    if (kind === 'reset' && last !== null && orderId !== undefined) yield* catchUp();
    else if (kind === 'reset')
      onNote(`events were left out, as too many had happened; --topic reads all: ${visible(data)}`);
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

/** What is told of one order's past. */
const MAX_EVENTS = 10_000;

/** The events of the order after the given one, oldest first; the newest of them where they are too many. */
const eventsOf = async ({ service, orderId = '', signal }: TailViewOptions, after: number): Promise<Sequenced[]> => {
  const newestFirst: Sequenced[] = [];
  for (let next: string | null = ''; next !== null && newestFirst.length < MAX_EVENTS;) {
    const path: string = `/orders/${orderId}/events?limit=1000${next === '' ? '' : `&after=${encodeURIComponent(next)}`}`;
    const reply: Reply<Page | Problem | null> = await callReachable(service, path, {}, signal);
    const { status, body } = reply;
    // An order that there is not yet.
    if (status === 404 && body !== null && 'code' in body && body.code === 'OrderNotFound') break;
    if (status !== 200 || body === null || !('events' in body)) throw refused(service, path, status, body as Problem);
    const newer = body.events.filter(({ sequence }) => sequence > after);
    newestFirst.push(...newer.map((event) => ({ orderId, ...event })));
    next = newer.length < body.events.length ? null : body.next;
  }
  return newestFirst.toReversed();
};
