import type { Answer, CommandRequest } from '#cart_service/requests.ts';

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
  /** Only the first answer counts. */
  answer(waiting: Waiting, answer: Answer): void;
  readonly size: number;
  /** In order of arrival. */
  [Symbol.iterator](): Iterator<Waiting>;
}

/** The items that clients gave, in all waiting requests together. They take about 300 bytes of memory each. */
const MAX_GIVEN_ITEMS = 100_000;

const givenItems = ({ command }: CommandRequest): number =>
  command.kind === 'create' ? (command.draft.items?.length ?? 0) : 0;

interface Held extends Waiting {
  stored: boolean;
  answered: boolean;
}

/** Holds at most `limit` requests, each for at most `deadlineMs`. */
export const createWaitingRoom = (options: {
  limit: number;
  deadlineMs: number;
  /** Gives the answer to a request whose deadline has passed. */
  onDeadline: (waiting: Waiting) => Answer;
}): WaitingRoom => {
  // In order of arrival, which is the order of deadlines: the first expires next.
  const inside = new Map<Waiting, (answer: Answer) => void>();
  let items = 0;
  let timer: NodeJS.Timeout | null = null;

  const answer = (waiting: Held, text: Answer): void => {
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

  const expire = (): void => {
    if (timer !== null) clearTimeout(timer);
    const now = performance.now();
    for (const waiting of inside.keys()) {
      if (waiting.deadline > now) break;
      answer(waiting, options.onDeadline(waiting));
    }
    watch();
  };

  const watch = (): void => {
    const [first] = inside.keys();
    timer = first === undefined ? null : setTimeout(expire, Math.max(1, first.deadline - performance.now()));
  };

  return {
    enter(request, resolve) {
      // Under a flood of requests the event loop does not reach its timers for seconds.
      const [first] = inside.keys();
      if (first !== undefined && first.deadline < performance.now()) expire();
      const given = givenItems(request);
      if (inside.size >= options.limit || items + given > MAX_GIVEN_ITEMS) return null;
      items += given;
      const deadline = performance.now() + options.deadlineMs;
      const waiting: Waiting = { request, deadline, stored: false, answered: false };
      inside.set(waiting, resolve);
      if (timer === null) watch();
      return waiting;
    },
    markStored(waiting: Held) {
      waiting.stored = true;
    },
    answer,
    get size() {
      return inside.size;
    },
    [Symbol.iterator]: () => inside.keys(),
  };
};
