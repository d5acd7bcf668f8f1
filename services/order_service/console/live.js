import { signal } from '@preact/signals-core';
import { parsed } from './api.js';

/** @import { Flow, Sample, StreamedEvent, StreamLink } from './types.d.ts' */

/** What the Order Service says of itself, as it happens: one stream for the whole page. */

const RECONNECT_MS = 1_000;
/** A picture comes each second; so long without one, and what is shown is old. */
const SILENCE_MS = 3_000;
const KEPT_SAMPLES = 300;
const KEPT_EVENTS = 100;
/** Events are handed out together: a browser need not draw four thousand times a second. */
const GATHER_MS = 250;
/** So many between two hand-outs, and the rest is left to be read again. */
const GATHERED = 5_000;

/** @type {import('@preact/signals-core').Signal<StreamLink>} */
export const streamLink = signal({ kind: 'connecting', detail: null });
/** @type {import('@preact/signals-core').Signal<Flow | null>} */
export const flow = signal(null);
/** @type {import('@preact/signals-core').Signal<readonly Sample[]>} */
export const samples = signal([]);
/** What each picture said of the partitions together, oldest first. @type {import('@preact/signals-core').Signal<readonly { at: number, end: number | null, lag: number | null }[]>} */
export const totals = signal([]);
/** Newest first. @type {import('@preact/signals-core').Signal<readonly StreamedEvent[]>} */
export const latestEvents = signal([]);
/** Counts how often what was read before may have become old in a way that no event tells. */
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
let failures = 0;
let lastHeard = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;
/** @type {StreamedEvent[]} */
let gathered = [];
let missed = false;

/** Begins, and goes on for as long as the page is there; a hidden page lets go of its connection, of which a browser has six. */
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
    failures = 0;
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
  opened.addEventListener('reset', () => {
    lastId = null;
    epoch.value += 1;
  });
  opened.addEventListener('error', () => {
    failures += 1;
    // An id that the service does not take, perhaps as its view was made anew.
    if (failures > 1) lastId = null;
    lose('its stream of events has ended');
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

/** A stream that is refused does not say why; another call does. */
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
    lose(`nothing was heard of it for ${SILENCE_MS / 1_000} s`);
  }
};

const readHistory = async () => {
  try {
    const response = await fetch('/flow', { cache: 'no-store' });
    if (response.ok) take(await response.json());
  } catch {
    // The stream, which has the same trouble, says so.
  }
};

/** @param {Flow} picture */
const take = (picture) => {
  lastHeard = performance.now();
  flow.value = picture;
  const known = new Map(samples.value.map((sample) => [sample.at, sample]));
  for (const sample of picture.samples) known.set(sample.at, sample);
  samples.value = [...known.values()].toSorted((a, b) => a.at.localeCompare(b.at)).slice(-KEPT_SAMPLES);
  const ends = picture.partitions.map(({ end }) => end);
  const lags = picture.partitions.map(({ lag }) => lag);
  totals.value = [...totals.value, { at: Date.now(), end: sum(ends), lag: sum(lags) }].slice(-KEPT_SAMPLES);
};

/** Null where a part is not known. @param {(number | null)[]} values */
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
