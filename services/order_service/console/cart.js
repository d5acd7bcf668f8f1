import { signal } from '@preact/signals-core';
import { get } from './api.js';

/** @import { CartHealth, Check } from './types.d.ts' */

const POLL_MS = 1_000;
const TIMEOUT_MS = 1_500;

/** The URL of the Cart Service. Null until the Order Service has told it. @type {import('@preact/signals-core').Signal<string | null>} */
export const cartUrl = signal(null);
/** @type {import('@preact/signals-core').Signal<CartHealth>} */
export const cartHealth = signal({ kind: 'unknown' });

/** Asks for the health of the Cart Service each second, while the page is visible. */
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
    // The Order Service does not answer; the verdict shows that.
    return;
  }
  cartHealth.value = await healthOf(cartUrl.value);
};

/** A service whose store fails can still be ready. @param {Check[]} checks */
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
    // If a request that needs no permission succeeds, the service runs and forbids this page. Otherwise it is not there.
    await fetch(ready, { mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { kind: 'forbids', url };
  } catch {
    return { kind: 'silent', url, detail: 'no connection' };
  }
};
