import type { Answer, CommandRequest } from '#cart_service/requests.ts';
import { type Attempts, createAttemptCounts } from './attempts.ts';

/** A request that waits for its answer. The waiting room alone changes it. */
export interface Waiting {
  readonly request: CommandRequest;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** True once the event of the request may be in the store. From then on only the event's fate decides the outcome. */
  readonly stored: boolean;
  readonly answered: boolean;
}

/** All requests that wait for their answer. It answers each of them once, at its deadline at the latest. */
export interface WaitingRoom {
  /** @returns null if the room is full */
  enter(request: CommandRequest, resolve: (answer: Answer) => void): Waiting | null;
  /** Marks a request whose event is about to be stored. */
  markStored(waiting: Waiting): void;
  /** Its event was not stored after all. Other attempts at the same request go on counting it as stored. */
  unmarkStored(waiting: Waiting): void;
  /** Only the first answer counts. */
  answer(waiting: Waiting, answer: Answer): void;
  /** Whether another attempt at the same request waits too, or may have been stored while this one waited. */
  hasOtherAttempts(waiting: Waiting): boolean;
  /** Whether another attempt at the same request was answered `unknown` while this one waited. */
  isDoubted(waiting: Waiting): boolean;
  readonly size: number;
  /** In order of arrival. */
  [Symbol.iterator](): Iterator<Waiting>;
}

/** The items that clients gave, in all waiting requests together. They take about 300 bytes of memory each. */
const MAX_GIVEN_ITEMS = 100_000;
/** The part of the deadline that is left for asking the store about a request whose turn has not come. */
const LATE_SHARE = 0.05;

const givenItems = ({ command }: CommandRequest): number =>
  command.kind === 'create' ? (command.draft.items?.length ?? 0) : 0;

interface Held extends Waiting {
  stored: boolean;
  answered: boolean;
  readonly resolve: (answer: Answer) => void;
  readonly attempts: readonly Attempts[];
}

const isUnknown = (answer: Answer): boolean => answer.kind === 'failed' && answer.outcome === 'unknown';

export interface WaitingRoomOptions {
  readonly limit: number;
  readonly deadlineMs: number;
  /** Called once for a request that still waits when 5 % of its time is left. It may be answered then. */
  readonly onLate: (waiting: Waiting) => void;
  /** Gives the answer to a request whose deadline has passed. */
  readonly onDeadline: (waiting: Waiting) => Answer;
}

/** Holds at most `limit` requests, each for at most `deadlineMs`. */
// oxlint-disable-next-line max-lines-per-function -- one owner of the requests, their two deadlines and one timer
export const createWaitingRoom = (options: WaitingRoomOptions): WaitingRoom => {
  const lateMs = options.deadlineMs * LATE_SHARE;
  const attempts = createAttemptCounts();
  // Both in order of arrival, which is the order of deadlines: the first expires next. Those in `late` are older.
  const late = new Set<Held>();
  const inside = new Set<Held>();
  let items = 0;
  let timer: NodeJS.Timeout | null = null;

  const first = (held: ReadonlySet<Held>): Held | undefined => held.values().next().value;

  const answer = (waiting: Held, text: Answer): void => {
    if (waiting.answered) return;
    waiting.answered = true;
    if (!inside.delete(waiting)) late.delete(waiting);
    items -= givenItems(waiting.request);
    if (isUnknown(text)) attempts.doubt(waiting.request);
    attempts.leave(waiting.request);
    waiting.resolve(text);
    if (inside.size + late.size === 0 && timer !== null) {
      clearTimeout(timer);
      timer = null;
    }
  };

  const expire = (): void => {
    if (timer !== null) clearTimeout(timer);
    const now = performance.now();
    for (const waiting of inside) {
      if (waiting.deadline - lateMs > now) break;
      inside.delete(waiting);
      late.add(waiting);
      options.onLate(waiting);
    }
    for (const waiting of late) {
      if (waiting.deadline > now) break;
      answer(waiting, options.onDeadline(waiting));
    }
    watch();
  };

  const watch = (): void => {
    const next = Math.min(first(late)?.deadline ?? Infinity, (first(inside)?.deadline ?? Infinity) - lateMs);
    timer = next === Infinity ? null : setTimeout(expire, Math.max(1, next - performance.now()));
  };

  return {
    enter(request, resolve) {
      // Under a flood of requests the event loop does not reach its timers for seconds.
      const oldest = first(late) ?? first(inside);
      if (oldest !== undefined && oldest.deadline < performance.now()) expire();
      const given = givenItems(request);
      if (inside.size + late.size >= options.limit || items + given > MAX_GIVEN_ITEMS) {
        attempts.doubt(request);
        return null;
      }
      items += given;
      const deadline = performance.now() + options.deadlineMs;
      const own = attempts.enter(request);
      const waiting: Held = { request, deadline, stored: false, answered: false, resolve, attempts: own };
      inside.add(waiting);
      if (timer === null) watch();
      return waiting;
    },
    markStored(waiting: Held) {
      waiting.stored = true;
      for (const each of waiting.attempts) each.stored = true;
    },
    unmarkStored(waiting: Held) {
      waiting.stored = false;
    },
    answer,
    hasOtherAttempts: (waiting: Held) =>
      waiting.attempts.some((each) => each.inside > 1 || (each.stored && !waiting.stored)),
    isDoubted: (waiting: Held) => waiting.attempts.some(({ doubted }) => doubted),
    get size() {
      return inside.size + late.size;
    },
    *[Symbol.iterator]() {
      yield* late;
      yield* inside;
    },
  };
};
