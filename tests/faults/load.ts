import type { Exchange } from '#tests/checker/evidence.ts';
import { createHttpClient, type HttpClient } from './http_client.ts';
import { createLoadRequests, type Job } from './load_requests.ts';

/**
 * Clients with a steady rate of creates, updates and reads. One in ten repeats its request after a 503 or without an answer,
 * until it gets another answer.
 */
export interface Load {
  /** All requests that have ended so far. */
  readonly exchanges: readonly LoadExchange[];
  /** Sends no more requests. Resolves when all open ones have ended. */
  pause(): Promise<void>;
  resume(): void;
  /** The rate to aim at, in requests per second. */
  rate: number;
  /** Resolves with the first write that was sent after `since` (`performance.now()`) and answered 200. Rejects after `withinMs`. */
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
/** If more clients wait to repeat, they give up. Otherwise, in a long outage, they would outnumber all others. */
const MAX_REPEATERS_WAITING = 300;
/** Around the second that `Retry-After` asks for. */
const REPEAT_AFTER_MS = { least: 500, most: 1_500 };
/** A tick that is later than this does not send everything that was due. */
const MAX_OWED_S = 0.5;

/** Makes a load that sends nothing before `resume`. */
export const createLoad = ({ cartUrl, orderUrl, rate, random }: LoadOptions): Load => {
  const cart = createHttpClient(cartUrl);
  const order = createHttpClient(orderUrl);
  const exchanges: LoadExchange[] = [];
  let sent = 0;
  const requests = createLoadRequests(random);
  const watchers = new Set<(exchange: Exchange) => void>();
  let repeats: { readonly at: number; readonly job: Job }[] = [];
  let skipped = 0;
  let owed = 0;
  let lastTick = 0;
  let timer: NodeJS.Timeout | null = null;

  const start = (job: Job): void => {
    const client: HttpClient = job.request.kind === 'read' ? order : cart;
    if (client.inFlight >= MAX_IN_FLIGHT) {
      skipped += 1;
      return;
    }
    const askedAt = performance.now();
    const number = sent++;
    client.send(job.http, number, ({ answer, refusedConnection }) => {
      const exchange: LoadExchange = {
        number,
        request: job.request,
        askedAt,
        answer,
        endedAt: performance.now(),
        refusedConnection,
      };
      exchanges.push(exchange);
      requests.ended(job, answer);
      if (job.repeats && (answer === null || answer.status === 503)) repeatLater(job);
      for (const watcher of watchers) watcher(exchange);
    });
  };

  const repeatLater = (job: Job): void => {
    job.repetitions += 1;
    if (job.repetitions > MAX_REPEATS || repeats.length >= MAX_REPEATERS_WAITING) return;
    const waitMs = REPEAT_AFTER_MS.least + random() * (REPEAT_AFTER_MS.most - REPEAT_AFTER_MS.least);
    repeats.push({ at: performance.now() + waitMs, job });
  };

  const load: Load = {
    exchanges,
    rate,
    get nextOrderNumber() {
      return requests.nextOrderNumber;
    },
    get skipped() {
      return skipped;
    },
    async pause() {
      if (timer !== null) clearInterval(timer);
      timer = null;
      // Every request ends with its time-out at the latest.
      while (cart.inFlight + order.inFlight > 0) await ended();
    },
    resume() {
      lastTick = performance.now();
      timer ??= setInterval(tick, TICK_MS);
    },
    async first200(since, withinMs) {
      const earlier = exchanges.findLastIndex((exchange) => exchange.endedAt < since) + 1;
      const found = exchanges.slice(earlier).find((exchange) => isWritten(exchange, since));
      return found ?? (await seen((exchange) => isWritten(exchange, since), withinMs, 'no write was answered 200'));
    },
    async succeed(writes, withinMs) {
      const from = performance.now();
      let left = writes;
      const isLast = (exchange: Exchange): boolean => isWritten(exchange, from) && --left <= 0;
      await seen(isLast, withinMs, `fewer than ${writes} writes were answered 200`);
    },
    leaveOrders: requests.leaveOrders,
    close() {
      if (timer !== null) clearInterval(timer);
      cart.close();
      order.close();
    },
  };

  const tick = (): void => {
    const now = performance.now();
    owed = Math.min(owed + ((now - lastTick) / 1_000) * load.rate, MAX_OWED_S * load.rate);
    lastTick = now;
    for (; owed >= 1; owed -= 1) start(requests.next());
    const due = repeats.filter(({ at }) => at <= now);
    if (due.length === 0) return;
    repeats = repeats.filter(({ at }) => at > now);
    for (const { job } of due) start(job);
  };

  const seen = (wanted: (exchange: Exchange) => boolean, withinMs: number, failure: string): Promise<Exchange> =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        watchers.delete(watcher);
        clearTimeout(limit);
      };
      const watcher = (exchange: Exchange): void => {
        if (!wanted(exchange)) return;
        stop();
        resolve(exchange);
      };
      const limit = setTimeout(() => {
        stop();
        reject(new Error(`${failure} within ${withinMs} ms`));
      }, withinMs);
      watchers.add(watcher);
    });

  const ended = (): Promise<Exchange> => seen(() => true, 30_000, 'no request ended');

  return load;
};

const isWritten = ({ request, askedAt, answer }: Exchange, since: number): boolean =>
  request.kind !== 'read' && askedAt >= since && answer?.status === 200;
