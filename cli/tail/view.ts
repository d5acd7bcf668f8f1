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
  /** Whether events before the first one may have been meant too. */
  let hasBegun = from === 'earliest';
  /** By partition, the sequence of the last event in the present view. A view that was built again counts from 1. */
  const sequences = new Map<number, number>();
  /** By partition, the offset of the last event. It shows what is new in a view that was built again. */
  const offsets = new Map<number, number>();

  const note = (event: Sequenced): Sequenced => {
    hasBegun = true;
    sequences.set(event.partition, event.sequence);
    offsets.set(event.partition, event.offset);
    return event;
  };

  /** The events of the order that were not yielded yet. */
  async function* catchUp(): AsyncGenerator<Sequenced> {
    const events = await eventsOf(options);
    for (const event of events) if (event.offset > (offsets.get(event.partition) ?? -1)) yield note(event);
    sequences.clear();
    for (const { partition, sequence } of events) sequences.set(partition, sequence);
  }

  const stream = streamEvents({
    service,
    path: '/events/stream',
    // `0` is before the first event.
    lastEventId: hasBegun ? '0' : null,
    signal,
    onLost: (reason, waitMs) => onNote(`connection lost (${visible(reason)}), trying again in ${waitMs / 1_000} s`),
  });
  for await (const { event: kind, data } of stream) {
    if (kind === 'reset') {
      // The service cannot send the events since the last one. For a single order they are few, and can be read.
      if (hasBegun && orderId !== undefined) yield* catchUp();
      else {
        onNote(`some events can be missing here; tail --topic reads all: ${visible(data)}`);
        hasBegun = true;
        sequences.clear();
      }
    }
    if (kind !== 'order') continue;
    const event = JSON.parse(data) as Sequenced;
    if ((orderId !== undefined && event.orderId !== orderId) || event.sequence <= (sequences.get(event.partition) ?? 0))
      continue;
    yield note(event);
  }
}

interface Page {
  readonly events: readonly Omit<Sequenced, 'orderId'>[];
  readonly next: string | null;
}

/** The most events of one order's past that are shown. */
const MAX_EVENTS = 10_000;

/** Returns the events of the order, oldest first; if there are too many, the newest of them. */
const eventsOf = async ({ service, orderId = '', signal }: TailViewOptions): Promise<Sequenced[]> => {
  const newestFirst: Sequenced[] = [];
  for (let next: string | null = ''; next !== null && newestFirst.length < MAX_EVENTS;) {
    const path: string = `/orders/${orderId}/events?limit=1000${next === '' ? '' : `&after=${encodeURIComponent(next)}`}`;
    const reply: Reply<Page | Problem | null> = await callReachable(service, path, {}, signal);
    const { status, body } = reply;
    // The order does not exist yet.
    if (status === 404 && body !== null && 'code' in body && body.code === 'OrderNotFound') break;
    if (status !== 200 || body === null || !('events' in body)) throw refused(service, path, status, body as Problem);
    newestFirst.push(...body.events.map((event) => ({ orderId, ...event })));
    next = body.next;
  }
  return newestFirst.toReversed();
};
