import { createHistogram } from 'node:perf_hooks';
import type { AppliedTransaction } from '#order_service/consuming/apply_observers.ts';

/** What was applied within one second. Latency is from the event's timestamp until it could be read; null if nothing was applied. */
export interface FlowSample {
  /** When the second ended, ISO 8601. */
  readonly at: string;
  readonly applied: number;
  readonly duplicates: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** What was applied in each second of the last five minutes. */
export interface FlowSamples {
  /** Counts a transaction. */
  readonly observe: (applied: Pick<AppliedTransaction, 'history'>) => void;
  /** Ends a second; to be called once a second. */
  readonly tick: () => void;
  /** Oldest first. */
  readonly all: readonly FlowSample[];
}

const SAMPLES = 300;
/** Longer latencies count as this one. Two clocks can differ, and an event can have waited in an outbox. */
const MAX_LATENCY_MS = 3_600_000;

/** @param now milliseconds since 1970 */
export const createFlowSamples = ({ now }: { readonly now: () => number }): FlowSamples => {
  const latencies = createHistogram({ lowest: 1, highest: MAX_LATENCY_MS, figures: 2 });
  const samples: FlowSample[] = [];
  let applied = 0;
  let duplicates = 0;

  return {
    observe({ history }) {
      const readableAt = now();
      for (const { outcome, timestamp } of history) {
        if (outcome === 'duplicate' || outcome === 'conflict') duplicates += 1;
        else {
          applied += 1;
          latencies.record(Math.min(Math.max(1, readableAt - timestamp), MAX_LATENCY_MS));
        }
      }
    },

    tick() {
      const quantile = (percent: number): number | null => (applied === 0 ? null : latencies.percentile(percent));
      const at = new Date(now()).toISOString();
      samples.push({ at, applied, duplicates, p50Ms: quantile(50), p99Ms: quantile(99) });
      if (samples.length > SAMPLES) samples.shift();
      applied = 0;
      duplicates = 0;
      latencies.reset();
    },

    all: samples,
  };
};
