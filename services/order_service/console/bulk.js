import { signal } from '@preact/signals-core';
import { asFailure, failureOf, jsonCall, send } from './api.js';

/**
 * Many creates, a few at a time. They continue while another view is shown.
 * @typedef {{ url: string, total: number, sent: number, done: number, startedAt: number, endedAt: number | null,
 *   isStopped: boolean, outcomes: Record<string, number>, lastReason: string | null }} Bulk
 */

/** A browser has six connections to a service. Two stay free for other calls. */
const AT_A_TIME = 4;
const LONGEST_PAUSE_MS = 5_000;

/** @type {import('@preact/signals-core').Signal<Bulk | null>} */
export const bulk = signal(null);

/** @param {string} cart @param {number} total @param {number} items */
export const startBulk = (cart, total, items) => {
  const first = String(Date.now());
  bulk.value = {
    url: `${cart}/create-order`,
    total,
    sent: 0,
    done: 0,
    startedAt: Date.now(),
    endedAt: null,
    isStopped: false,
    outcomes: {},
    lastReason: null,
  };
  void workTogether(first, items);
};

/** @param {string} first the beginning of the ids @param {number} items */
const workTogether = async (first, items) => {
  await Promise.all(Array.from({ length: AT_A_TIME }, () => work(first, items)));
  change((state) => ({ ...state, endedAt: Date.now() }));
};

export const stopBulk = () => change((state) => ({ ...state, isStopped: true }));

/** @param {(state: Bulk) => Bulk} how */
const change = (how) => {
  if (bulk.value !== null) bulk.value = how(bulk.value);
};

/** @param {string} first the beginning of the ids @param {number} items */
const work = async (first, items) => {
  for (;;) {
    const state = bulk.value;
    if (state === null || state.isStopped || state.sent >= state.total) return;
    change((now) => ({ ...now, sent: now.sent + 1 }));
    const { outcome, reason, pauseMs } = await createOne(
      state.url,
      `${first}${String(state.sent).padStart(6, '0')}`,
      items,
    );
    change((now) => ({
      ...now,
      done: now.done + 1,
      outcomes: { ...now.outcomes, [outcome]: (now.outcomes[outcome] ?? 0) + 1 },
      lastReason: reason ?? now.lastReason,
    }));
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
};

/** @param {string} url @param {string} id @param {number} items */
const createOne = async (url, id, items) => {
  const call = jsonCall('POST', url, { order_id: id, number_of_items: items });
  try {
    const answer = await send(call);
    if (answer.status === 200) return { outcome: 'created', reason: null, pauseMs: 0 };
    const { outcome, code, detail } = failureOf(call, answer);
    const retryAfter = Number(new Map(answer.headers).get('retry-after') ?? 0) * 1_000;
    return { outcome: outcome ?? code, reason: `${code}: ${detail}`, pauseMs: Math.min(retryAfter, LONGEST_PAUSE_MS) };
  } catch (error) {
    const { detail } = asFailure(error);
    return { outcome: 'no answer', reason: detail, pauseMs: 1_000 };
  }
};
