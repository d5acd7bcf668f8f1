import { signal } from '@preact/signals-core';
import { parsed } from './api.js';

/** @import { Flow, Sample, StreamedEvent, StreamLink } from './types.d.ts' */

/** The live data of the Order Service: one stream for the whole page. */

const RECONNECT_MS = 1_000;
/** The flow comes each second. After this time without it, the shown data are old. */
const SILENCE_MS = 3_000;
const KEPT_SAMPLES = 300;
const KEPT_EVENTS = 100;
/** Events go to the listeners in groups, so that the browser need not draw thousands of times a second. */
const GATHER_MS = 250;
/** If more events come in one group, the views read their data again instead. */
const GATHERED = 5_000;

/** @type {import('@preact/signals-core').Signal<StreamLink>} */
export const streamLink = signal({ kind: 'connecting', detail: null });
/** @type {import('@preact/signals-core').Signal<Flow | null>} */
export const flow = signal(null);
/** @type {import('@preact/signals-core').Signal<readonly Sample[]>} */
export const samples = signal([]);
/** The sums over all partitions, one for each flow, oldest first. @type {import('@preact/signals-core').Signal<readonly { at: number, end: number | null, lag: number | null }[]>} */
export const totals = signal([]);
/** Newest first. @type {import('@preact/signals-core').Signal<readonly StreamedEvent[]>} */
export const latestEvents = signal([]);
/** Changes when views must read their data again because they may have missed events. */
export const epoch = signal(0);

/** @type {Set<(events: readonly StreamedEvent[]) => void>} */
const listeners = new Set();

/**
 * @param {(events: readonly StreamedEvent[]) => void} listener
 * @returns {() => void} ends it
 */
export const onEvents = (listener) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** @type {EventSource | null} */
let source = null;
/** @type {string | null} */
let lastId = null;
let lastHeard = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;
/** @type {StreamedEvent[]} */
let gathered = [];
let missed = false;

/** Follows the stream. A hidden page closes its connection, because a browser has only six. */
export const followStream = () => {
  open();
  setInterval(watchSilence, 500);
  setInterval(handOut, GATHER_MS);
  document.addEventListener('visibilitychange', () => {
    close();
    if (!document.hidden) open();
  });
};

const open = () => {
  const resume = lastId === null ? '' : `&lastEventId=${encodeURIComponent(lastId)}`;
  const opened = new EventSource(`/events/stream?flow=true${resume}`);
  source = opened;
  opened.addEventListener('open', () => {
    lastHeard = performance.now();
    streamLink.value = { kind: 'open', detail: null };
    epoch.value += 1;
    void readHistory();
  });
  opened.addEventListener('order', (event) => {
    lastId = event.lastEventId;
    if (gathered.length < GATHERED) gathered.push(JSON.parse(event.data));
    else missed = true;
  });
  opened.addEventListener('flow', (event) => take(JSON.parse(event.data)));
  opened.addEventListener('reset', (event) => {
    lastId = event.lastEventId;
    epoch.value += 1;
  });
  opened.addEventListener('error', () => {
    lose('the stream of events has ended');
  });
};

const close = () => {
  clearTimeout(retry);
  source?.close();
  source = null;
};

/** @param {string} detail */
const lose = (detail) => {
  close();
  if (streamLink.value.kind !== 'lost') streamLink.value = { kind: 'lost', detail };
  if (document.hidden) return;
  retry = setTimeout(open, RECONNECT_MS);
  void sayWhy();
};

/** The browser does not show why a stream was refused, so ask with another call. */
const sayWhy = async () => {
  try {
    const response = await fetch('/health/live', { cache: 'no-store', signal: AbortSignal.timeout(2_000) });
    if (response.ok || streamLink.value.kind !== 'lost') return;
    streamLink.value = { kind: 'lost', detail: parsed(await response.text())?.detail ?? `status ${response.status}` };
  } catch {
    if (streamLink.value.kind === 'lost')
      streamLink.value = { kind: 'lost', detail: `${location.origin} cannot be reached` };
  }
};

const watchSilence = () => {
  if (streamLink.value.kind === 'open' && source !== null && performance.now() - lastHeard > SILENCE_MS) {
    lose(`no data came for ${SILENCE_MS / 1_000} s`);
  }
};

const readHistory = async () => {
  try {
    const response = await fetch('/flow', { cache: 'no-store' });
    if (response.ok) take(await response.json());
  } catch {
    // The stream has the same problem and shows it.
  }
};

/** @param {Flow} state */
const take = (state) => {
  lastHeard = performance.now();
  flow.value = state;
  const known = new Map(samples.value.map((sample) => [sample.at, sample]));
  for (const sample of state.samples) known.set(sample.at, sample);
  samples.value = [...known.values()].toSorted((a, b) => a.at.localeCompare(b.at)).slice(-KEPT_SAMPLES);
  const ends = state.partitions.map(({ end }) => end);
  const lags = state.partitions.map(({ lag }) => lag);
  totals.value = [...totals.value, { at: Date.now(), end: sum(ends), lag: sum(lags) }].slice(-KEPT_SAMPLES);
};

/** Null if a value is not known. @param {(number | null)[]} values */
const sum = (values) => {
  let total = 0;
  for (const value of values) {
    if (value === null) return null;
    total += value;
  }
  return values.length === 0 ? null : total;
};

const handOut = () => {
  if (gathered.length === 0) return;
  const events = gathered;
  gathered = [];
  latestEvents.value = [...events.slice(-KEPT_EVENTS).toReversed(), ...latestEvents.value].slice(0, KEPT_EVENTS);
  for (const listener of listeners) listener(events);
  if (!missed) return;
  missed = false;
  epoch.value += 1;
};
