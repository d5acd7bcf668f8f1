/** HTTP load from its own process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface LoadPlan {
  /** The address of the service, as `http://host:port`. */
  readonly url: string;
  /** The kind of requests: see `load_requests.ts`. */
  readonly kind: 'create' | 'update' | 'details';
  /** Parallel requests, each on its own connection. */
  readonly connections: number;
  readonly seconds: number;
  /** The number of the first new order. `create` uses the numbers from there, the other kinds those below. */
  readonly from: number;
  /**
   * Arrivals per second, whatever the answers do (open loop); latency counts from the arrival. Null: each connection
   * sends its next request after the answer to the last (closed loop).
   */
  readonly arrivalsPerSecond: number | null;
  /** The Order Service, where the load waits for each created order; null: it does not wait. */
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
  /** From the request, or its arrival, until the whole answer. */
  readonly answered: Latencies;
  /** From the 200 until the answer that has the order; NaN if `readUrl` is null. */
  readonly readable: Latencies;
  /** CPU time of the generator per request, in microseconds. */
  readonly generatorUs: number;
}

export interface LoadGenerator {
  /** @throws Error if an answer was wrong, or a connection was lost */
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
