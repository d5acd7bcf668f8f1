import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * How long event loops were blocked, which delays every answer. Each service reports it for itself. A block of the
 * clients' event loop makes their measured times less exact.
 */
export interface Stalls {
  /** Starts measuring again. */
  reset(): void;
  /** Asks the services for the time since the last look; those that do not answer are left out. */
  look(services: readonly { readonly name: string; readonly url: string }[]): Promise<void>;
  /** The longest blocks so far, for people. */
  text(): string;
  close(): void;
}

const RESOLUTION_MS = 10;
const ANSWER_MS = 2_000;

export const createStalls = (): Stalls => {
  const own = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  own.enable();
  const longest = new Map<string, number>();
  const note = (name: string, ms: number): void => void longest.set(name, Math.max(ms, longest.get(name) ?? 0));

  return {
    reset: () => own.reset(),
    async look(services) {
      note('clients', own.max / 1e6);
      for (const { name, url } of services) {
        const metrics = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) }).then(
          (response) => response.text(),
          () => '',
        );
        const seconds = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(metrics)?.[1];
        if (seconds !== undefined) note(name, Number(seconds) * 1_000);
      }
    },
    text: () =>
      `event loops blocked for up to: ${Array.from(longest, ([name, ms]) => `${name} ${ms.toFixed(0)} ms`).join(', ')}`,
    close: () => void own.disable(),
  };
};
