import { signal } from '@preact/signals';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asFailure, get } from './api.js';
import { epoch } from './live.js';

/** @import { Failure } from './types.d.ts' */

/** The time, updated each second, for ages. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1_000);

/**
 * Reads a resource. Reads it again when the URL changes, the connection to the service is back, or `reload` is called. The
 * last body stays until there is a newer one, also if reading fails.
 * @param {string | null} url null: read nothing
 * @returns {import('./types.d.ts').Fetched<any>}
 */
export const useFetched = (url) => {
  const [state, setState] = useState(
    /** @type {{ url: string | null, body: any, failure: Failure | null }} */ ({
      url: null,
      body: null,
      failure: null,
    }),
  );
  const [loading, setLoading] = useState(false);
  const underWay = useRef(/** @type {AbortController | null} */ (null));
  const isReloadWanted = useRef(false);

  const load = useCallback(async () => {
    if (url === null) return;
    underWay.current?.abort();
    const controller = new AbortController();
    underWay.current = controller;
    setLoading(true);
    try {
      const body = await get(url, controller.signal);
      setState({ url, body, failure: null });
    } catch (error) {
      if (controller.signal.aborted) return;
      const failure = asFailure(error);
      setState((before) => ({ url, body: before.url === url ? before.body : null, failure }));
    }
    if (underWay.current !== controller) return;
    underWay.current = null;
    setLoading(false);
    if (!isReloadWanted.current) return;
    isReloadWanted.current = false;
    void load();
  }, [url]);

  /** While a read runs, any number of calls lead to one more read after it. */
  const reload = useCallback(() => {
    if (underWay.current === null) void load();
    else isReloadWanted.current = true;
  }, [load]);

  useEffect(() => {
    void load();
    return () => underWay.current?.abort();
  }, [load]);

  const seen = useRef(epoch.value);
  useEffect(
    () =>
      epoch.subscribe((value) => {
        if (value === seen.current) return;
        seen.current = value;
        reload();
      }),
    [reload],
  );

  const isCurrent = state.url === url;
  return {
    body: isCurrent ? state.body : null,
    last: state.body,
    failure: isCurrent ? state.failure : null,
    loading,
    reload,
  };
};

/**
 * Returns a function that calls `action` after `ms`. Further calls within that time do nothing.
 * @param {() => void} action
 * @param {number} ms
 */
export const useThrottled = (action, ms) => {
  const latest = useRef(action);
  latest.current = action;
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | null} */ (null));
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
  return useCallback(() => {
    if (timer.current !== null) return;
    timer.current = setTimeout(() => {
      timer.current = null;
      latest.current();
    }, ms);
  }, [ms]);
};
