import type { StoredDeadLetter, ViewQueries } from '#order_service/consumer_db.ts';
import { type LetterPlan, planLetter, type RedriveRequest } from './plan_letter.ts';
import { type LetterTopic, publishLetters, type PublishedLetters, type RedriveResult } from './publish_letters.ts';

interface RedriveFilter {
  readonly reason?: string | undefined;
  readonly key?: string | undefined;
}

export type RedriveOutcome =
  /** `next`: the id to go on after; null if all letters were looked at. */
  | { readonly kind: 'done'; readonly results: RedriveResult[]; readonly next: number | null }
  /** Another redrive is under way: nothing was published. */
  | { readonly kind: 'busy' }
  /** The topic cannot be reached: nothing was published. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Publishes dead letters again, in the order of their ids. One call at a time. Both functions @throws StoreError. */
export interface Redriver {
  letters(requests: readonly RedriveRequest[]): Promise<RedriveOutcome>;
  /** Publishes at most `limit` held letters that match, as they are, after the id `after`. */
  matching(filter: RedriveFilter, after: number, limit: number): Promise<RedriveOutcome>;
}

export interface RedriverOptions extends LetterTopic {
  readonly db: Pick<ViewQueries, 'deadLetters'>;
}

/** Held letters that one call of `matching` looks at. */
const MAX_LOOKED_AT = 10_000;

export const createRedriver = ({ db, broker, topic, proof }: RedriverOptions): Redriver => {
  let isUnderWay = false;

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

  const publish = (plans: AsyncIterable<LetterPlan>): Promise<PublishedLetters> =>
    publishLetters({ broker, topic, proof }, plans);

  return {
    letters: (requests) =>
      alone(async () => {
        const published = await publish(plansOf(db, requests));
        return published.kind === 'done' ? { ...published, next: null } : published;
      }),

    matching: (filter, after, limit) =>
      alone(async () => {
        const held = lookAtHeld(db, filter, after, limit);
        const published = await publish(held.plans());
        return published.kind === 'done' ? { ...published, next: held.next() } : published;
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
const lookAtHeld = (db: RedriverOptions['db'], filter: RedriveFilter, after: number, limit: number) => {
  let last = after;
  let isEnd = false;
  return {
    async *plans(): AsyncGenerator<LetterPlan> {
      let found = 0;
      for (let lookedAt = 0; found < limit && lookedAt < MAX_LOOKED_AT; lookedAt += 1) {
        const [letter] = await db.deadLetters(last, 1, 'held');
        if (letter === undefined) {
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
