import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoRequest, Manner } from './plan.ts';
import { call, NoAnswer, type Problem, type Service } from '../service_client.ts';

export interface DemoClientOptions {
  readonly cart: Service;
  readonly signal: AbortSignal;
  /** A request must be sent again, for this reason. */
  readonly onRetry: (reason: string) => void;
}

interface Answer {
  readonly status: number;
  /** The code of an error answer; null for a 200. */
  readonly code: string | null;
}

/** A good client of the Cart Service: after a 503 or a lost answer it repeats the request under the same key. */
export interface DemoClient {
  /** Returns the final answers, none of them a 503: one, or two if the customer sends twice. @throws GaveUp */
  readonly send: (request: DemoRequest, manner: Manner) => Promise<readonly Answer[]>;
}

/** No final answer came in time. */
export class GaveUp extends Error {}

/** How long a request is repeated. */
const GIVE_UP_MS = 30_000;
/** The wait if the answer has no `Retry-After`. */
const RETRY_MS = 1_000;
/** The longest wait between two attempts, whatever `Retry-After` says. */
const MAX_RETRY_MS = 10_000;

export const createDemoClient = ({ cart, signal, onRetry }: DemoClientOptions): DemoClient => {
  const post = ({ method, path, body, idempotencyKey }: DemoRequest, until: AbortSignal) =>
    call<Problem | null>(cart, path, { method, body, headers: { 'idempotency-key': idempotencyKey } }, until);

  /** Returns the final answer, or why there is none and how long to wait before the next attempt. */
  const attempt = async (request: DemoRequest): Promise<Answer | { readonly why: string; readonly waitMs: number }> => {
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

  const sendUntilAnswered = async (request: DemoRequest): Promise<Answer> => {
    const deadline = performance.now() + GIVE_UP_MS;
    for (;;) {
      const result = await attempt(request);
      if ('status' in result) return result;
      if (performance.now() + result.waitMs > deadline) throw new GaveUp(result.why);
      onRetry(result.why);
      await sleep(result.waitMs, undefined, { signal });
    }
  };

  const sendImpatiently = async (request: DemoRequest, patienceMs: number): Promise<Answer> => {
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
