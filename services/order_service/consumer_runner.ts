import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Batch, type Broker, BrokerError, type Positions, type Topic } from '#kafka_common/broker.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';
import { type Applied, type ApplierStatus, createBatchApplier } from '#order_service/consuming/batch_applier.ts';
import type { ConsumerDb } from './consumer_db.ts';

/** Milliseconds between one try and the next. */
export interface RetryDelays {
  readonly topicMissing: number;
  /** Before the given attempt, counted from 1, to consume again after the connection was lost. */
  readonly reconnect: (attempt: number) => number;
  readonly fenced: number;
  /** After the given number of failures of the store in a row. */
  readonly store: (failures: number) => number;
}

export const DELAYS: RetryDelays = {
  topicMissing: 500,
  reconnect: (attempt) => (attempt <= 5 ? 2_000 : Math.min(2_000 * 2 ** (attempt - 5), 5_000)),
  fenced: 10_000,
  store: (failures) => Math.min(100 * 2 ** (failures - 1), 5_000),
};

export interface ConsumerRunnerOptions {
  readonly broker: Pick<Broker, 'consume' | 'committed'>;
  readonly db: Pick<ConsumerDb, 'load' | 'applyBatch' | 'positions'>;
  readonly topic: string;
  readonly group: string;
  readonly memberId: string;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of each transaction once it is committed: what is in it can be read. */
  readonly onApplied?: (applied: Applied) => void;
  readonly delays?: RetryDelays;
}

export type RunnerState = 'starting' | 'waiting_for_topic' | 'consuming' | 'reconnecting';

export interface RunnerStatus extends ApplierStatus {
  readonly state: RunnerState;
  /** How often it has tried to consume again since the connection was lost; 0 while it consumes. */
  readonly attempt: number;
  readonly assigned: readonly number[];
  /** Partition to the offset that the view goes on from. */
  readonly positions: Readonly<Record<number, number>>;
  /** Partition to the number of records that were still to read when the last batch of it was. */
  readonly lag: Readonly<Record<number, number>>;
  /** How often the log did not hold a partition's position any more: retention passed it, or the topic was made again. */
  readonly positionsLost: number;
}

export interface ConsumerRunner {
  readonly start: () => void;
  /** Resolves once the batch in hand is applied and committed and the group is left. */
  readonly stop: () => Promise<void>;
  readonly status: () => RunnerStatus;
}

/** Keeps the view in step with the topic: consumes, applies, and after any failure begins again, for ever. */
export const createConsumerRunner = (options: ConsumerRunnerOptions): ConsumerRunner => {
  const { broker, db, topic: topicName, group, memberId, logger, delays = DELAYS } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const applier = createBatchApplier({
    db,
    logger,
    now: options.now,
    storeRetryDelay: delays.store,
    onApplied: options.onApplied ?? (() => {}),
    signal,
  });
  let running: Promise<void> = Promise.resolve();
  let state: RunnerState = 'starting';
  let attempt = 0;
  let assigned: readonly number[] = [];
  let positionsLost = 0;
  /** What has been read of each partition, as long as it is ours. */
  const positions = new Map<number, number>();
  /** What the view has of it; null for none. */
  const stored = new Map<number, number | null>();
  const lag = new Map<number, number>();

  const startAt = async (topic: Topic, partitions: readonly number[]): Promise<Positions> => {
    const found = (await db.positions(topic.name)).filter(({ partition }) => partitions.includes(partition));
    const ofFormerTopic = found.filter(({ topicId }) => topicId !== topic.id);
    const valid = new Map(
      found.filter(({ topicId }) => topicId === topic.id).map(({ partition, next }) => [partition, next]),
    );
    for (const partition of partitions) {
      positions.set(partition, valid.get(partition) ?? 0);
      stored.set(partition, valid.get(partition) ?? null);
    }
    if (ofFormerTopic.length > 0) {
      positionsLost += ofFormerTopic.length;
      logger.error({ topic: topic.name, partitions: ofFormerTopic.map(({ partition }) => partition) }, RECREATED);
      // Stored at once, so that it is said once, also of a partition that gets no record for long.
      for (const { partition } of ofFormerTopic) {
        await applier.apply({ topic, partition, records: [], next: 0, end: 0 }, null);
        stored.set(partition, 0);
      }
    } else {
      const committed = await broker.committed(group, topic.name);
      const behind = partitions.filter((partition) => (committed.get(partition) ?? 0) > (valid.get(partition) ?? 0));
      if (behind.length > 0) logger.warn({ topic: topic.name, partitions: behind }, BEHIND);
    }
    return valid;
  };

  const onBatch = async (batch: Batch): Promise<void> => {
    const { partition, next, end } = batch;
    const position = positions.get(partition) ?? 0;
    if (next > position) {
      const records = batch.records.filter(({ offset }) => offset >= position);
      await applier.apply({ ...batch, records }, stored.get(partition) ?? null);
      positions.set(partition, next);
      stored.set(partition, next);
    }
    lag.set(partition, end - next);
  };

  const onAssigned = (partitions: readonly number[]): void => {
    state = 'consuming';
    attempt = 0;
    assigned = partitions;
    for (const partition of lag.keys()) if (!partitions.includes(partition)) lag.delete(partition);
    logger.info({ topic: topicName, group, memberId, partitions }, 'consuming');
  };

  const onPositionLost = (lost: { partition: number; wanted: number; resumedAt: number }): void => {
    positionsLost += 1;
    positions.set(lost.partition, lost.resumedAt);
    logger.error(
      { topic: topicName, ...lost },
      'the log no longer holds the position of the view, events may be missing',
    );
  };

  /** Says what happened, and returns how long to wait before the next try. */
  const recoverFrom = (error: unknown): number => {
    const code = error instanceof BrokerError ? error.code : undefined;
    assigned = [];
    if (code === 'TOPIC_MISSING') {
      if (state !== 'waiting_for_topic')
        logger.info({ topic: topicName }, 'the topic does not exist yet, waiting for it');
      state = 'waiting_for_topic';
      attempt = 0;
      return delays.topicMissing;
    }
    state = 'reconnecting';
    attempt += 1;
    if (error instanceof StoreError && error.code === 'STORE_OVERTAKEN') {
      logger.warn({ group, memberId, reason: error.message }, OVERTAKEN);
      return delays.store(1);
    }
    if (code === 'FENCED') {
      logger.error({ group, memberId, delayMs: delays.fenced }, FENCED);
      return delays.fenced;
    }
    const delayMs = delays.reconnect(attempt);
    if (code === 'UNAVAILABLE')
      logger.warn({ attempt, delayMs, reason: reasonOf(error) }, 'the broker cannot be reached, trying again');
    else logger.error({ attempt, delayMs, err: error }, 'consuming failed, trying again');
    return delayMs;
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await broker.consume({
          topic: topicName,
          group,
          memberId,
          startAt,
          onBatch,
          onAssigned,
          onPositionLost,
          signal,
        });
      } catch (error) {
        if (signal.aborted) return;
        await sleep(recoverFrom(error), undefined, { signal }).catch(() => {});
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
    status: () => ({
      ...applier.status(),
      state,
      attempt,
      assigned,
      positions: Object.fromEntries(assigned.map((partition) => [partition, positions.get(partition) ?? 0])),
      lag: Object.fromEntries(lag),
      positionsLost,
    }),
  };
};

const RECREATED =
  'the topic was deleted and made again: reading the new one from its start. Orders of the former one stay in the view; to be rid of them, stop the service, delete order_view.sqlite and start it again';

const BEHIND = 'the view is older than what the group has committed (deleted or restored?): rebuilding it from the log';

const OVERTAKEN = 'another process has moved the view on; going on from where it stands now';

const FENCED = 'another process has joined the group under the same member id; give each its own by CONSUMER_MEMBER_ID';
