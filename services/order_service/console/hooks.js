import { signal } from '@preact/signals';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asFailure, get } from './api.js';
import { epoch } from './live.js';

/** @import { Failure } from './types.d.ts' */

/** The present second, for ages that count on. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1_000);

/**
 * Reads a resource, again whenever its address changes, the service was away in between, or `reload` is called. What was
 * read last stays until there is something newer, also when reading fails.
 * @param {string | null} url null: nothing to read
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
  const asked = useRef(false);

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
    if (!asked.current) return;
    asked.current = false;
    void load();
  }, [url]);

  /** While one reading is under way, more wishes are one more reading, after it. */
  const reload = useCallback(() => {
    if (underWay.current === null) void load();
    else asked.current = true;
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
 * Calls `action` soon after it is asked to, and at most once in so many milliseconds.
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
