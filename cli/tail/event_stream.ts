import { setTimeout as sleep } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { causeOf, NoAnswer, notThere, type Problem, refused, type Service } from '../service_client.ts';

export interface StreamOptions {
  readonly service: Service;
  readonly path: string;
  /** The stream goes on after this event; null: it begins with new events. */
  readonly lastEventId: string | null;
  readonly signal: AbortSignal;
  /** The connection was lost; the next attempt follows in `waitMs`. */
  readonly onLost: (reason: string, waitMs: number) => void;
  /** These two are for tests. */
  readonly silenceMs?: number;
  readonly waitMs?: (failures: number) => number;
}

/** The server sends a comment every 15 s, so a connection that is silent for this long is dead. */
const SILENCE_MS = 45_000;
/** Far more than an event has, which is some hundred characters. */
const MAX_EVENT_LENGTH = 1_048_576;

const backoff = (failures: number): number => Math.min(500 * 2 ** (failures - 1), 5_000);

/**
 * Reads Server-Sent Events without end. When a connection is lost, the next one goes on after the last event.
 * @throws Failure if the first connection cannot be made, or if the server refuses one
 */
export async function* streamEvents(options: StreamOptions): AsyncGenerator<EventSourceMessage, never> {
  const { service, signal, onLost, waitMs = backoff } = options;
  let { lastEventId } = options;
  let wasConnected = false;
  let failures = 0;
  for (;;) {
    try {
      for await (const events of connect(options, lastEventId)) {
        wasConnected = true;
        failures = 0;
        for (const event of events) {
          lastEventId = event.id ?? lastEventId;
          yield event;
        }
      }
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (!wasConnected) throw notThere(service, error.message);
      failures += 1;
      const pause = waitMs(failures);
      onLost(error.message, pause);
      await sleep(pause, undefined, { signal });
    }
  }
}

/** One connection: yields an empty list once it is open, then the events as they come. @throws NoAnswer when it ends */
async function* connect(
  { service, path, signal, silenceMs = SILENCE_MS }: StreamOptions,
  lastEventId: string | null,
): AsyncGenerator<readonly EventSourceMessage[], never> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error(`nothing came for ${silenceMs / 1_000} s`)), silenceMs);
  try {
    const response = await fetch(`${service.url}${path}`, {
      headers: { accept: 'text/event-stream', ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }) },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (response.status >= 500) throw new NoAnswer(`the service answered ${response.status}`);
    if (response.body === null || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
      const problem = await response.json().catch(() => null);
      throw refused(service, path, response.status, problem as Problem | null);
    }
    yield [];
    const decoder = new TextDecoder();
    let events: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (event) => events.push(event), maxBufferSize: MAX_EVENT_LENGTH });
    for await (const chunk of response.body) {
      timer.refresh();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield events;
      events = [];
    }
    throw new NoAnswer('the service has closed the connection');
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof TypeError || error === silence.signal.reason ? new NoAnswer(causeOf(error)) : error;
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}
