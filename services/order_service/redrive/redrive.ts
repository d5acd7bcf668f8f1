import type { StoredDeadLetter, ViewQueries } from '#order_service/consumer_db.ts';
import { type LetterPlan, planLetter, type RedriveRequest } from './plan_letter.ts';
import { type LetterTopic, publishLetters, type RedriveResult } from './publish_letters.ts';

interface RedriveFilter {
  readonly reason?: string | undefined;
  readonly key?: string | undefined;
}

/** Which of the letters that match a filter one call publishes. */
interface RedrivePage {
  /** Only letters with a higher id. */
  readonly after: number;
  /** Only letters up to this id. Left out: up to the newest one at the time of the call. */
  readonly until?: number | undefined;
  readonly limit: number;
}

export type RedriveOutcome =
  | {
      readonly kind: 'done';
      readonly results: RedriveResult[];
      /** The id to go on after; null if all letters were looked at. */
      readonly next: number | null;
      /** The newest letter of the fixed set that a redrive by filter works on; null for letters by id. */
      readonly until: number | null;
      /** Why it ended before the last letter; null if it did not. */
      readonly stopped: string | null;
    }
  /** Another redrive is under way: nothing was published. */
  | { readonly kind: 'busy' }
  /** The topic cannot be reached: nothing was published. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Publishes dead letters again, in the order of their ids. One call at a time. The signal ends a call after the part
 * under way. Both functions @throws StoreError.
 */
export interface Redriver {
  letters(requests: readonly RedriveRequest[], signal: AbortSignal): Promise<RedriveOutcome>;
  /**
   * Publishes held letters that match, as they are. Letters that come back dead have an id above `until`, so they are
   * not taken again.
   */
  matching(filter: RedriveFilter, page: RedrivePage, signal: AbortSignal): Promise<RedriveOutcome>;
}

export interface RedriverOptions extends LetterTopic {
  readonly db: Pick<ViewQueries, 'deadLetters' | 'lastDeadLetter'>;
}

/** Held letters that one call of `matching` looks at. */
const MAX_LOOKED_AT = 10_000;

export const createRedriver = ({ db, ...letterTopic }: RedriverOptions): Redriver => {
  let isUnderWay = false;
  /** The last redrive by filter, whose next page keeps to the order within a key too. */
  let lastSet = { until: -1, failedKeys: new Set<string>() };

  /** Two redrives at once could publish the same letters twice. */
  const alone = async (work: () => Promise<RedriveOutcome>): Promise<RedriveOutcome> => {
    if (isUnderWay) return { kind: 'busy' };
    isUnderWay = true;
    try {
      return await work();
    } finally {
      isUnderWay = false;
    }
  };

  const failedKeysOf = (after: number, until: number): Set<string> => {
    if (after === 0 || lastSet.until !== until) lastSet = { until, failedKeys: new Set() };
    return lastSet.failedKeys;
  };

  return {
    letters: (requests, signal) =>
      alone(async () => {
        const published = await publishLetters(letterTopic, plansOf(db, requests), new Set(), signal);
        if (published.kind === 'unavailable') return published;
        return { ...published, next: null, until: null, stopped: published.stopped?.reason ?? null };
      }),

    matching: (filter, page, signal) =>
      alone(async () => {
        const { after, limit } = page;
        const until = page.until ?? (await db.lastDeadLetter());
        const held = lookAtHeld(db, filter, { after, until, limit });
        const published = await publishLetters(letterTopic, held.plans(), failedKeysOf(after, until), signal);
        if (published.kind === 'unavailable') return published;
        const { results, stopped } = published;
        const next = stopped === null ? held.next() : Math.max(after, stopped.last);
        return { kind: 'done', results, next, until, stopped: stopped?.reason ?? null };
      }),
  };
};

/** The plans of the requested letters, by id. If an id is requested twice, the last request counts. */
async function* plansOf(db: RedriverOptions['db'], requests: readonly RedriveRequest[]): AsyncGenerator<LetterPlan> {
  const wanted = new Map(requests.map((request) => [request.id, request]));
  for (const request of [...wanted.values()].toSorted((a, b) => a.id - b.id)) {
    const [letter] = await db.deadLetters(request.id - 1, 1);
    yield planLetter(letter?.id === request.id ? letter : undefined, request);
  }
}

/** Looks at held letters one at a time, because a letter can have 1 MB. */
const lookAtHeld = (
  db: RedriverOptions['db'],
  filter: RedriveFilter,
  { after, until, limit }: RedrivePage & { readonly until: number },
) => {
  let last = after;
  let isEnd = false;
  return {
    async *plans(): AsyncGenerator<LetterPlan> {
      let found = 0;
      for (let lookedAt = 0; found < limit && lookedAt < MAX_LOOKED_AT; lookedAt += 1) {
        const [letter] = await db.deadLetters(last, 1, 'held');
        if (letter === undefined || letter.id > until) {
          isEnd = true;
          return;
        }
        last = letter.id;
        if (!matches(letter, filter)) continue;
        found += 1;
        yield planLetter(letter, { id: letter.id });
      }
    },
    /** The id to go on after, once the plans are taken. */
    next: (): number | null => (isEnd ? null : last),
  };
};

const matches = ({ reason, key }: StoredDeadLetter, filter: RedriveFilter): boolean =>
  (filter.reason === undefined || filter.reason === reason) &&
  (filter.key === undefined || filter.key === key?.toString());
