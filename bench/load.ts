/** Load by HTTP, from a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface LoadPlan {
  /** As `http://host:port`. */
  readonly url: string;
  /** What is asked for: see `load_requests.ts`. */
  readonly kind: 'create' | 'update' | 'details';
  /** Requests at once, each on a connection of its own. */
  readonly connections: number;
  readonly seconds: number;
  /** The number of the first order; a `create` takes the numbers from there on, the others those below it. */
  readonly from: number;
  /**
   * Arrivals a second, whatever the answers do, and latency counted from the arrival. Null: each connection sends its
   * next request when it has the answer to the last.
   */
  readonly arrivalsPerSecond: number | null;
  /** The Order Service, where each order that was created is waited for; null: none is. */
  readonly readUrl: string | null;
}

/** In milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  /** From the request, or its arrival, to the whole answer. */
  readonly answered: Latencies;
  /** From the 200 to the answer that has the order; of nothing where `readUrl` is null. */
  readonly readable: Latencies;
  /** CPU time of the generator itself, in microseconds a request. */
  readonly generatorUs: number;
}

export interface LoadGenerator {
  /** @throws where an answer was wrong, or a connection was lost */
  run(plan: LoadPlan): Promise<LoadResult>;
  close(): void;
}

export type LoadReport = { readonly result: LoadResult } | { readonly failure: string };

export const startLoadGenerator = (): LoadGenerator => {
  const child = fork(fileURLToPath(new URL('load_process.ts', import.meta.url)));
  return {
    async run(plan) {
      child.send(plan);
      const [report] = (await once(child, 'message')) as [LoadReport];
      if ('failure' in report) throw new Error(`${plan.kind} at ${plan.url}: ${report.failure}`);
      return report.result;
    },
    close: () => child.disconnect(),
  };
};
