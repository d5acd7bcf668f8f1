import type { Answer, Request } from '#cart_service/requests.ts';

/** A request that waits for its answer. */
export interface Waiting {
  readonly request: Request;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** Its event is in the store: from now on, only its message's fate says what became of it. */
  stored: boolean;
  answered: boolean;
}

export interface WaitingRoom {
  /** Takes a request in, or returns null where the room is full. */
  enter(request: Request, resolve: (answer: Answer) => void): Waiting | null;
  /** Only the first answer counts. */
  answer(waiting: Waiting, answer: Answer): void;
  readonly size: number;
  [Symbol.iterator](): Iterator<Waiting>;
}

/** Items that clients gave, in all requests inside: what bounds their memory, about 300 bytes each. */
const MAX_GIVEN_ITEMS = 100_000;

const givenItems = ({ command }: Request): number =>
  command.kind === 'create' ? (command.draft.items?.length ?? 0) : 0;

/** Holds at most `limit` requests, each for at most `deadlineMs`: then `onDeadline` says what it is answered. */
export const createWaitingRoom = (options: {
  limit: number;
  deadlineMs: number;
  onDeadline: (waiting: Waiting) => Answer;
}): WaitingRoom => {
  // In order of arrival, and so in order of deadline: the first is always the next to expire.
  const inside = new Map<Waiting, (answer: Answer) => void>();
  let items = 0;
  let timer: NodeJS.Timeout | null = null;

  const watch = (): void => {
    const [first] = inside.keys();
    timer = first === undefined ? null : setTimeout(expire, Math.max(1, first.deadline - performance.now()));
  };

  const expire = (): void => {
    if (timer !== null) clearTimeout(timer);
    const now = performance.now();
    for (const waiting of inside.keys()) {
      if (waiting.deadline > now) break;
      answer(waiting, options.onDeadline(waiting));
    }
    watch();
  };

  const answer = (waiting: Waiting, text: Answer): void => {
    if (waiting.answered) return;
    waiting.answered = true;
    const resolve = inside.get(waiting);
    inside.delete(waiting);
    items -= givenItems(waiting.request);
    resolve?.(text);
    if (inside.size === 0 && timer !== null) {
      clearTimeout(timer);
      timer = null;
    }
  };

  return {
    enter(request, resolve) {
      // Under a flood of requests the event loop does not come to its timers for seconds.
      const [first] = inside.keys();
      if (first !== undefined && first.deadline < performance.now()) expire();
      const given = givenItems(request);
      if (inside.size >= options.limit || items + given > MAX_GIVEN_ITEMS) return null;
      items += given;
      const waiting: Waiting = {
        request,
        deadline: performance.now() + options.deadlineMs,
        stored: false,
        answered: false,
      };
      inside.set(waiting, resolve);
      if (timer === null) watch();
      return waiting;
    },
    answer,
    get size() {
      return inside.size;
    },
    [Symbol.iterator]: () => inside.keys(),
  };
};
