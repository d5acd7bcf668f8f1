import { createHistogram } from 'node:perf_hooks';
import type { Broker } from '#kafka_common/broker.ts';
import { endsOf } from '#kafka_common/ends_of.ts';
import { withinMs } from '#service_common/within.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { singleFlight } from '#service_common/single_flight.ts';
import type { Applied } from '#order_service/consuming/batch_applier.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import type { RunnerStatus } from '#order_service/consumer_runner.ts';

/** What one second brought. Latencies are from an event until it could be read, null where none was applied. */
interface FlowSample {
  /** ISO 8601. */
  readonly at: string;
  readonly applied: number;
  readonly duplicates: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

interface FlowState {
  readonly topic: string;
  readonly group: string;
  readonly state: RunnerStatus['state'];
  /** Why it does not consume; null where it does. */
  readonly reason: string | null;
  readonly storeFailure: string | null;
  /** Why the broker does not tell where the partitions end; null where it does. */
  readonly brokerReason: string | null;
  readonly partitions: readonly {
    readonly partition: number;
    readonly end: number | null;
    readonly position: number | null;
    readonly lag: number | null;
  }[];
  readonly counts: { readonly orders: number; readonly pending: number; readonly deadLetters: number };
  /** Oldest first. */
  readonly samples: readonly FlowSample[];
}

/** The way of the events from the topic into the view, as it is now and was in the last minutes. */
export interface Flow {
  /** Counts a transaction in. */
  applied(applied: Pick<Applied, 'history'>): void;
  /** Ends a second, to be called once in each. */
  tick(): void;
  /** With all samples, or only the last one. */
  state(samples: 'all' | 'last'): Promise<FlowState>;
}

export interface FlowOptions {
  readonly db: Pick<ConsumerDb, 'counts'>;
  readonly broker: Pick<Broker, 'bounds'>;
  readonly status: () => RunnerStatus;
  readonly reasonFor: (status: RunnerStatus) => string | null;
  readonly topic: string;
  readonly group: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const SAMPLES = 300;
const ENDS_MS = 800;
/** Of the clocks of two machines, or of an event that waited in an outbox: more is counted as this. */
const MAX_LATENCY_MS = 3_600_000;

export const createFlow = ({ db, broker, status, reasonFor, topic, group, now }: FlowOptions): Flow => {
  const latencies = createHistogram({ lowest: 1, highest: MAX_LATENCY_MS, figures: 2 });
  const samples: FlowSample[] = [];
  let applied = 0;
  let duplicates = 0;
  let ends: ReadonlyMap<number, number> = new Map();
  let brokerReason: string | null = null;

  const askForEnds = singleFlight(async (): Promise<void> => {
    try {
      ends = await withinMs(ENDS_MS, endsOf(broker, topic));
      brokerReason = null;
    } catch (error) {
      ends = new Map();
      brokerReason = reasonOf(error);
    }
  });

  return {
    applied({ history }) {
      const readable = now();
      for (const { outcome, timestamp } of history) {
        if (outcome === 'duplicate') duplicates += 1;
        else {
          applied += 1;
          latencies.record(Math.min(Math.max(1, readable - timestamp), MAX_LATENCY_MS));
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

    async state(which) {
      const [{ orders, waiting, heldDeadLetters }] = await Promise.all([db.counts(), askForEnds()]);
      const consumer = status();
      const { state, storeFailure, positions } = consumer;
      const partitions = new Set([...ends.keys(), ...consumer.assigned]);
      return {
        topic,
        group,
        state,
        reason: reasonFor(consumer),
        storeFailure,
        brokerReason,
        partitions: [...partitions]
          .toSorted((a, b) => a - b)
          .map((partition) => {
            const end = ends.get(partition) ?? null;
            const position = positions[partition] ?? null;
            // Asked after one another: what was applied in between is no lag below nought.
            const lag = end === null || position === null ? null : Math.max(0, end - position);
            return { partition, end, position, lag };
          }),
        counts: { orders, pending: waiting, deadLetters: heldDeadLetters },
        samples: which === 'all' ? samples : samples.slice(-1),
      };
    },
  };
};
