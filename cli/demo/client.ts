import { setTimeout as sleep } from 'node:timers/promises';
import type { Manner, Request } from './plan.ts';
import { call, NoAnswer, type Problem, type Service } from '../service_client.ts';

export interface DemoClientOptions {
  readonly cart: Service;
  readonly signal: AbortSignal;
  /** A request has to be sent again, and why. */
  readonly onRetry: (reason: string) => void;
}

interface Answer {
  readonly status: number;
  /** Of an error answer. */
  readonly code: string | null;
}

/** A good client of the Cart Service: what a 503 or a lost answer leaves open, it asks again, under the same key. */
export interface DemoClient {
  /** The answers that stand, none of them a 503: one, or two where the customer sends twice. @throws GaveUp */
  readonly send: (request: Request, manner: Manner) => Promise<readonly Answer[]>;
}

/** No answer that stands came in time. */
export class GaveUp extends Error {}

/** How long a request is repeated. */
const GIVE_UP_MS = 30_000;
/** Where the answer does not say. */
const RETRY_MS = 1_000;
/** More is not waited for at a stretch, whatever the answer says. */
const MAX_RETRY_MS = 10_000;

export const createDemoClient = ({ cart, signal, onRetry }: DemoClientOptions): DemoClient => {
  const post = ({ method, path, body, idempotencyKey }: Request, until: AbortSignal) =>
    call<Problem | null>(cart, path, { method, body, headers: { 'idempotency-key': idempotencyKey } }, until);

  /** The answer, or why there is none that stands and when to ask again. */
  const attempt = async (request: Request): Promise<Answer | { readonly why: string; readonly waitMs: number }> => {
    try {
      const { status, headers, body } = await post(request, signal);
      const code = status === 200 ? null : (body?.code ?? null);
      if (status !== 503) return { status, code };
      return { why: `503 ${code}`, waitMs: retryAfterMs(headers.get('retry-after'), Date.now()) };
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return { why: error.message, waitMs: RETRY_MS };
    }
  };

  const sendUntilAnswered = async (request: Request): Promise<Answer> => {
    const deadline = performance.now() + GIVE_UP_MS;
    for (;;) {
      const result = await attempt(request);
      if ('status' in result) return result;
      if (performance.now() + result.waitMs > deadline) throw new GaveUp(result.why);
      onRetry(result.why);
      await sleep(result.waitMs, undefined, { signal });
    }
  };

  const sendImpatiently = async (request: Request, patienceMs: number): Promise<Answer> => {
    const patience = AbortSignal.timeout(patienceMs);
    try {
      await post(request, AbortSignal.any([signal, patience]));
    } catch {
      signal.throwIfAborted();
      onRetry('the customer did not wait for the answer');
    }
    return sendUntilAnswered(request);
  };

  return {
    send: async (request, manner) => {
      if (manner === 'once') return [await sendUntilAnswered(request)];
      if (manner === 'again') return [await sendUntilAnswered(request), await sendUntilAnswered(request)];
      if (manner === 'at_once') return Promise.all([sendUntilAnswered(request), sendUntilAnswered(request)]);
      return [await sendImpatiently(request, manner.impatientMs)];
    },
  };
};

/** `Retry-After` (RFC 9110) gives seconds or a date. @param now milliseconds since 1970 */
export const retryAfterMs = (header: string | null, now: number): number => {
  const text = header?.trim() ?? '';
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(waitMs) ? RETRY_MS : Math.min(Math.max(waitMs, 0), MAX_RETRY_MS);
};
