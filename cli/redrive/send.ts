import { setTimeout as sleep } from 'node:timers/promises';
import { lettersOf } from './letters.ts';
import { fetchBody, type Service } from '../service_client.ts';

/** A letter to publish: as it is, or with another key or value. */
export interface Sent {
  readonly id: number;
  readonly key?: string;
  readonly value?: string;
}

/** The outcome of a letter: of its publish, or, once the Order Service has read it from the topic, of applying it. */
export interface Fate {
  readonly id: number;
  readonly outcome:
    'applied' | 'duplicate' | 'waiting' | 'dead_letter' | 'published' | 'not_published' | 'unknown' | 'skipped';
  readonly detail: string | null;
}

export interface SentChunk {
  readonly fates: readonly Fate[];
  /** Why the service did not try the last letters; null if it tried all. */
  readonly stopped: string | null;
}

/** Outcomes that leave nothing to do. */
const GOOD: ReadonlySet<Fate['outcome']> = new Set(['applied', 'duplicate', 'waiting']);

export const isGood = ({ outcome }: Pick<Fate, 'outcome'>): boolean => GOOD.has(outcome);

interface Answer {
  readonly results: readonly Fate[];
  readonly stopped: string | null;
}

/** It can still come back through the topic. */
const isOpen = ({ outcome }: Fate): boolean => outcome === 'published' || outcome === 'unknown';

/** Letters per request. */
export const CHUNK_SIZE = 200;

/** The wait before the next look for outcomes; it grows from `LOOK_MS` to `MAX_LOOK_MS`. */
const LOOK_MS = 100;
const MAX_LOOK_MS = 2_000;

/**
 * Publishes letters, and waits until the Order Service has read each from the topic. A letter that it has not read
 * within `waitMs` stays `published`.
 * @param letters in the order of their ids
 * @throws Failure
 */
export const redriveChunk = async (
  service: Service,
  letters: readonly Sent[],
  waitMs: number,
  signal: AbortSignal,
): Promise<SentChunk> => {
  const request = { method: 'POST', body: { letters } } as const;
  const { results, stopped } = await fetchBody<Answer>(service, '/dead-letters/redrive', request, signal);
  const fates = new Map(results.map(({ id, outcome, detail }) => [id, { id, outcome, detail } satisfies Fate]));
  const deadline = performance.now() + waitMs;
  for (let lookMs = LOOK_MS; ; lookMs = Math.min(lookMs * 1.5, MAX_LOOK_MS)) {
    const open = [...fates.values()].filter(isOpen);
    const last = open.at(-1);
    if (last === undefined || performance.now() > deadline) break;
    await sleep(lookMs, undefined, { signal });
    for await (const { id, redriven } of lettersOf(service, 'redriven', (open[0]?.id ?? 1) - 1, signal)) {
      if (id > last.id) break;
      const fate = fates.get(id);
      if (redriven !== null && fate !== undefined && isOpen(fate))
        fates.set(id, { id, outcome: redriven.outcome as Fate['outcome'], detail: null });
    }
  }
  return { fates: [...fates.values()], stopped };
};
