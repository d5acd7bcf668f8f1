import type { Exchange } from '#tests/checker/evidence.ts';

/** The exchanges of a load that have ended, oldest first. */
export interface ExchangeLog<E extends Exchange> {
  readonly all: readonly E[];
  add(exchange: E): void;
  /** Resolves with the next exchange that is `wanted`. @throws Error with `failure` after `withinMs` */
  next(wanted: (exchange: E) => boolean, withinMs: number, failure: string): Promise<E>;
}

export const createExchangeLog = <E extends Exchange>(): ExchangeLog<E> => {
  const all: E[] = [];
  const watchers = new Set<(exchange: E) => void>();
  return {
    all,
    add(exchange) {
      all.push(exchange);
      for (const watcher of watchers) watcher(exchange);
    },
    next: (wanted, withinMs, failure) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          watchers.delete(watcher);
          clearTimeout(limit);
        };
        const watcher = (exchange: E): void => {
          if (!wanted(exchange)) return;
          stop();
          resolve(exchange);
        };
        const limit = setTimeout(() => {
          stop();
          reject(new Error(`${failure} within ${withinMs} ms`));
        }, withinMs);
        watchers.add(watcher);
      }),
  };
};
