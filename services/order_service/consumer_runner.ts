import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Batch, Broker, ConsumeOptions } from '#kafka_common/broker.ts';
import type { ApplyObserver } from '#order_service/consuming/apply_observers.ts';
import { createBatchApplier } from '#order_service/consuming/batch_applier.ts';
import { createConsumingState, DELAYS, type RetryDelays } from '#order_service/consuming/consuming_state.ts';
import { createPartitionPositions } from '#order_service/consuming/partition_positions.ts';
import type { RunnerStatus } from '#order_service/consuming/runner_status.ts';
import { createStartPositions } from '#order_service/consuming/start_positions.ts';
import type { RedriveProof } from '#order_service/redrive/redrive_proof.ts';
import type { ViewWriter } from './consumer_db.ts';

export interface ConsumerRunnerOptions {
  readonly broker: Pick<Broker, 'consume' | 'committed' | 'bounds'>;
  readonly db: ViewWriter;
  readonly topic: string;
  readonly group: string;
  readonly memberId: string;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly redriveProof: RedriveProof;
  readonly observers?: readonly ApplyObserver[];
  readonly delays?: RetryDelays;
}

export interface ConsumerRunner {
  readonly start: () => void;
  /** Resolves once the batch in hand is applied and committed, and the group is left. */
  readonly stop: () => Promise<void>;
  readonly status: () => RunnerStatus;
}

/** Keeps the view in step with the topic. It consumes and applies, and begins again after any failure, for ever. */
export const createConsumerRunner = (options: ConsumerRunnerOptions): ConsumerRunner => {
  const { broker, db, topic, group, memberId, logger, now, redriveProof, observers = [], delays = DELAYS } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const state = createConsumingState({ topic, group, memberId, logger, delays, now });
  const positions = createPartitionPositions();
  const applier = createBatchApplier({
    db,
    logger,
    now,
    redriveProof,
    storeRetryDelay: delays.store,
    observers,
    signal,
  });
  let running: Promise<void> = Promise.resolve();

  const onBatch = async (batch: Batch): Promise<void> => {
    const { partition, next } = batch;
    const fresh = positions.newIn(batch);
    if (fresh !== null) {
      await applier.apply(fresh, positions.stored(partition));
      positions.applied(partition, next);
    }
    positions.read(batch, now());
  };

  const consuming: ConsumeOptions = {
    topic,
    group,
    memberId,
    startAt: createStartPositions({ broker, db, applier, positions, state, group, logger }),
    onBatch,
    onAssigned: (partitions) => {
      positions.keepLagOf(partitions);
      state.assigned(partitions);
    },
    onPositionLost: (lost) => {
      positions.lost(lost.partition, lost.resumedAt);
      logger.error({ topic, ...lost }, 'the log no longer holds the position of the view, events may be missing');
    },
    signal,
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await broker.consume(consuming);
      } catch (error) {
        if (signal.aborted) return;
        const delayMs = state.ended(error);
        if (state.status.state === 'waiting_for_topic') positions.keepLagOf([]);
        await sleep(delayMs, undefined, { signal }).catch(() => {});
      }
    }
  };

  return {
    start: () => {
      running = run();
    },
    stop: () => {
      stopping.abort();
      return running;
    },
    status: () => ({ ...applier.status(), ...state.status, ...positions.status(state.status.assigned) }),
  };
};
