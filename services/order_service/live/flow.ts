import type { Broker, Positions } from '#kafka_common/broker.ts';
import { endsOf } from '#kafka_common/ends_of.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { singleFlight } from '#service_common/single_flight.ts';
import { withinMs } from '#service_common/within.ts';
import { type RunnerStatus, whyNotReady } from '#order_service/consuming/runner_status.ts';
import type { PartitionPosition, ViewQueries, ViewWriter } from '#order_service/consumer_db.ts';
import type { FlowSample, FlowSamples } from './flow_samples.ts';

interface FlowState {
  readonly topic: string;
  readonly group: string;
  readonly state: RunnerStatus['state'];
  /** Why the view does not follow the topic; null if it does. */
  readonly reason: string | null;
  readonly storeFailure: string | null;
  /** Why the ends of the partitions are not known; null if they are. */
  readonly brokerReason: string | null;
  /** What a person should know, though the view follows the topic. */
  readonly warnings: readonly string[];
  readonly partitions: readonly FlowPartition[];
  readonly counts: { readonly orders: number; readonly pending: number; readonly deadLetters: number };
  /** Oldest first. */
  readonly samples: readonly FlowSample[];
}

interface FlowPartition {
  readonly partition: number;
  readonly end: number | null;
  readonly position: number | null;
  readonly lag: number | null;
  /** Since when (ISO 8601) an open transaction of another producer holds it up; null if none does. */
  readonly heldUpSince: string | null;
}

/** How events flow from the topic into the view, now and in the last five minutes. */
export interface Flow {
  /** The present state, with all samples or only the last one. @throws StoreError `STORE_UNAVAILABLE` */
  state(samples: 'all' | 'last'): Promise<FlowState>;
}

export interface FlowOptions {
  readonly db: Pick<ViewQueries, 'counts'> & Pick<ViewWriter, 'positions'>;
  readonly broker: Pick<Broker, 'bounds'>;
  readonly samples: Pick<FlowSamples, 'all'>;
  readonly status: () => RunnerStatus;
  readonly warnings: () => readonly string[];
  readonly topic: string;
  readonly group: string;
}

/** Milliseconds that the broker has to answer. */
const ENDS_MS = 800;

export const createFlow = ({ db, broker, samples, status, warnings, topic, group }: FlowOptions): Flow => {
  const askForEnds = singleFlight(async () => {
    try {
      return { ends: await withinMs(ENDS_MS, endsOf(broker, topic)), brokerReason: null };
    } catch (error) {
      return { ends: new Map<number, number>(), brokerReason: reasonOf(error) };
    }
  });

  return {
    async state(which) {
      // The positions after the ends: they can only be further on.
      const { ends, brokerReason } = await askForEnds();
      const [{ orders, pending, heldDeadLetters }, stored] = await Promise.all([db.counts(), db.positions(topic)]);
      const consumer = status();
      const { state, storeFailure } = consumer;
      return {
        topic,
        group,
        state,
        reason: whyNotReady(consumer),
        storeFailure,
        brokerReason,
        warnings: warnings(),
        partitions: partitionsOf(consumer, stored, ends),
        counts: { orders, pending, deadLetters: heldDeadLetters },
        samples: which === 'all' ? samples.all : samples.all.slice(-1),
      };
    },
  };
};

/** The partitions of the whole group. The positions of those that other members own are in the view that all share. */
const partitionsOf = (
  { assigned, positions, heldUp }: RunnerStatus,
  stored: readonly PartitionPosition[],
  ends: Positions,
): FlowPartition[] => {
  const storedNexts = new Map(stored.map(({ partition, next }) => [partition, next]));
  return [...new Set([...ends.keys(), ...assigned])]
    .toSorted((a, b) => a - b)
    .map((partition) => {
      const end = ends.get(partition) ?? null;
      const position = positions[partition] ?? storedNexts.get(partition) ?? null;
      // The position is read after the end, so it can be ahead by what was applied in between.
      const lag = end === null || position === null ? null : Math.max(0, end - position);
      return { partition, end, position, lag, heldUpSince: heldUp[partition] ?? null };
    });
};
