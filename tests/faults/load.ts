import type { Exchange } from '#tests/checker/evidence.ts';
import { createExchangeLog } from './exchange_log.ts';
import { createHttpClient, type HttpClient } from './http_client.ts';
import { createLoadRequests, type Job } from './load_requests.ts';

/**
 * Clients with a steady rate of creates, updates and reads. One in ten repeats its request after a 503 or without an
 * answer, until it gets another answer.
 */
export interface Load {
  /** All requests that have ended so far. */
  readonly exchanges: readonly LoadExchange[];
  /** Sends no more requests. Resolves when all open ones have ended. */
  pause(): Promise<void>;
  resume(): void;
  /** The rate to aim at, in requests per second. */
  rate: number;
  /**
   * Resolves with the first write that was sent after `since` (`performance.now()`) and answered 200. Rejects after
   * `withinMs`.
   */
  first200(since: number, withinMs: number): Promise<Exchange>;
  /** Resolves when `writes` more writes have been answered 200. Rejects after `withinMs`. */
  succeed(writes: number, withinMs: number): Promise<void>;
  /** The number in the next order's id. Numbers count up from `FIRST_ORDER_NUMBER`; those of rows are below it. */
  readonly nextOrderNumber: number;
  /** Requests that were due but not sent, because too many were open. */
  readonly skipped: number;
  /** Orders created so far are no longer updated or read, except by repeated requests. */
  leaveOrders(): void;
  close(): void;
}

/** `number` counts the requests as they are sent; the request carries it as `x-request-number`. */
export interface LoadExchange extends Exchange {
  readonly number: number;
}

export interface LoadOptions {
  readonly cartUrl: string;
  readonly orderUrl: string;
  /** Requests per second. */
  readonly rate: number;
  /** 0 to 1. */
  readonly random: () => number;
}

const TICK_MS = 5;
/** The most open requests per service: more than clients of this rate ever have. */
const MAX_IN_FLIGHT = 2_000;
const MAX_REPEATS = 100;
/** The longest wait of `pause` for the end of the next request; longer than the clients' time-out. */
const ENDED_MS = 30_000;
/** If more clients wait to repeat, they give up. Otherwise, in a long outage, they would outnumber all others. */
const MAX_REPEATERS_WAITING = 300;
/** Around the second that `Retry-After` asks for. */
const REPEAT_AFTER_MS = { least: 500, most: 1_500 };
/** A tick that is later than this does not send everything that was due. */
const MAX_OWED_S = 0.5;

/** Makes a load that sends nothing before `resume`. */
export const createLoad = ({ cartUrl, orderUrl, rate: firstRate, random }: LoadOptions): Load => {
  const cart = createHttpClient(cartUrl);
  const order = createHttpClient(orderUrl);
  const requests = createLoadRequests(random);
  const repeats = createRepeats(random);
  const log = createExchangeLog<LoadExchange>();
  let rate = firstRate;
  let sent = 0;
  let skipped = 0;

  const send = (job: Job): void => {
    const client: HttpClient = job.request.kind === 'read' ? order : cart;
    if (client.inFlight >= MAX_IN_FLIGHT) {
      skipped += 1;
      return;
    }
    const { request, http } = job;
    const askedAt = performance.now();
    const number = sent++;
    client.send(http, number, ({ answer, refusedConnection }) => {
      requests.ended(job, answer);
      if (job.repeats && (answer === null || answer.status === 503)) repeats.add(job);
      log.add({ number, request, askedAt, answer, endedAt: performance.now(), refusedConnection });
    });
  };

  const pace = createPace(
    () => rate,
    (count) => {
      for (let n = 0; n < count; n++) send(requests.next());
      for (const job of repeats.takeDue()) send(job);
    },
  );

  return {
    exchanges: log.all,
    get rate() {
      return rate;
    },
    set rate(next) {
      rate = next;
    },
    get nextOrderNumber() {
      return requests.nextOrderNumber;
    },
    get skipped() {
      return skipped;
    },
    async pause() {
      pace.stop();
      // Every request ends with its time-out at the latest.
      while (cart.inFlight + order.inFlight > 0) await log.next(() => true, ENDED_MS, 'no request ended');
    },
    resume: pace.start,
    async first200(since, withinMs) {
      const isWanted = (exchange: Exchange): boolean => isWritten(exchange, since);
      const earlier = log.all.findLastIndex((exchange) => exchange.endedAt < since) + 1;
      const found = log.all.slice(earlier).find(isWanted);
      return found ?? (await log.next(isWanted, withinMs, 'no write was answered 200'));
    },
    async succeed(writes, withinMs) {
      const from = performance.now();
      let left = writes;
      const isLast = (exchange: Exchange): boolean => isWritten(exchange, from) && --left <= 0;
      await log.next(isLast, withinMs, `fewer than ${writes} writes were answered 200`);
    },
    leaveOrders: requests.leaveOrders,
    close() {
      pace.stop();
      cart.close();
      order.close();
    },
  };
};

/** The requests that wait for their repetition. */
const createRepeats = (random: () => number) => {
  let waiting: { readonly at: number; readonly job: Job }[] = [];
  return {
    add(job: Job): void {
      job.repetitions += 1;
      if (job.repetitions > MAX_REPEATS || waiting.length >= MAX_REPEATERS_WAITING) return;
      const waitMs = REPEAT_AFTER_MS.least + random() * (REPEAT_AFTER_MS.most - REPEAT_AFTER_MS.least);
      waiting.push({ at: performance.now() + waitMs, job });
    },
    takeDue(): readonly Job[] {
      const now = performance.now();
      const due = waiting.filter(({ at }) => at <= now);
      if (due.length > 0) waiting = waiting.filter(({ at }) => at > now);
      return due.map(({ job }) => job);
    },
  };
};

/** Calls `onTick` again and again with the number of requests that are due, at `rate` per second. */
const createPace = (rate: () => number, onTick: (count: number) => void) => {
  let owed = 0;
  let lastTick = 0;
  let timer: NodeJS.Timeout | null = null;

  const tick = (): void => {
    const now = performance.now();
    owed = Math.min(owed + ((now - lastTick) / 1_000) * rate(), MAX_OWED_S * rate());
    lastTick = now;
    const count = Math.floor(owed);
    owed -= count;
    onTick(count);
  };

  return {
    start(): void {
      lastTick = performance.now();
      timer ??= setInterval(tick, TICK_MS);
    },
    stop(): void {
      if (timer !== null) clearInterval(timer);
      timer = null;
    },
  };
};

const isWritten = ({ request, askedAt, answer }: Exchange, since: number): boolean =>
  request.kind !== 'read' && askedAt >= since && answer?.status === 200;
