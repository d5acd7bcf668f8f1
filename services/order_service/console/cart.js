import { signal } from '@preact/signals-core';
import { get } from './api.js';

/** @import { CartHealth, Check } from './types.d.ts' */

const POLL_MS = 1_000;
const TIMEOUT_MS = 1_500;

/** Null until the Order Service has said where it is. @type {import('@preact/signals-core').Signal<string | null>} */
export const cartUrl = signal(null);
/** @type {import('@preact/signals-core').Signal<CartHealth>} */
export const cartHealth = signal({ kind: 'unknown' });

/** Looks each second how the Cart Service is, for as long as the page is there and seen. */
export const followCart = async () => {
  for (;;) {
    if (!document.hidden) await look();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

const look = async () => {
  try {
    cartUrl.value ??= String((await get('/console.json')).cartUrl);
  } catch {
    // The Order Service has trouble, which is said elsewhere.
    return;
  }
  cartHealth.value = await healthOf(cartUrl.value);
};

/** A service whose store fails may be ready all the same. @param {Check[]} checks */
const storeFailureIn = (checks) => checks.find(({ name }) => name === 'store')?.reason ?? null;

/**
 * @param {string} url
 * @returns {Promise<CartHealth>}
 */
const healthOf = async (url) => {
  const ready = `${url}/health/ready`;
  try {
    const response = await fetch(ready, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body = await response.json();
    return {
      kind: 'answers',
      ready: body.ready === true,
      state: String(body.state),
      reason: body.reason ?? null,
      waiting: Number(body.waiting ?? 0),
      unsettled: Number(body.unsettled ?? 0),
      storeFailure: storeFailureIn(body.checks ?? []),
      lastAcknowledgedAt: body.lastAcknowledgedAt ? Date.parse(body.lastAcknowledgedAt) : null,
    };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      return { kind: 'silent', url, detail: `no answer within ${TIMEOUT_MS / 1_000} s` };
    }
  }
  try {
    // An answer that this page may not read tells a service that forbids from one that is not there.
    await fetch(ready, { mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { kind: 'forbids', url };
  } catch {
    return { kind: 'silent', url, detail: 'no connection' };
  }
};
