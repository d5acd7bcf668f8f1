import { pino } from 'pino';
import type { Broker, LogRecord, Positions, Topic } from '#kafka_common/broker.ts';
import { createBatchApplier } from '#order_service/consuming/batch_applier.ts';
import type { ViewWriter } from '#order_service/consumer_db.ts';
import type { RedriveProof } from '#order_service/redrive/redrive_proof.ts';
import { failed } from '../failures.ts';
import { readMerged } from '../merged_log.ts';

/** Builds a view from the log. */
export interface ViewBuilder {
  /** Applies the log up to these positions, not above its end. @throws BrokerError, Failure, the signal's reason */
  readonly buildUpTo: (until: Positions) => Promise<void>;
  readonly positions: () => Positions;
  readonly messages: () => number;
}

export interface ViewBuilderOptions {
  /** The view; empty. */
  readonly db: ViewWriter;
  readonly broker: Pick<Broker, 'read' | 'bounds'>;
  readonly topic: Topic;
  readonly redriveProof: RedriveProof;
  readonly signal: AbortSignal;
  /** Is called with the number of messages applied so far. */
  readonly onProgress: (messages: number) => void;
}

/**
 * Messages that are applied at a time, as many as one transaction takes. Windows follow each other in the order of time.
 * Within one, messages are in the order of their partitions.
 */
const WINDOW = 500;

export const createViewBuilder = (options: ViewBuilderOptions): ViewBuilder => {
  const { db, broker, topic, redriveProof, signal, onProgress } = options;
  const applier = createBatchApplier({
    db,
    // A store that fails ends the command, which says so. Nothing else is logged here.
    logger: pino({ level: 'silent' }),
    now: Date.now,
    redriveProof,
    storeRetryDelay: (_failures, { message }) => {
      throw failed(message);
    },
    observers: [],
    signal,
  });
  const positions = new Map<number, number>();
  let messages = 0;

  const apply = async (partition: number, records: readonly LogRecord[], next: number): Promise<void> => {
    const from = positions.get(partition) ?? null;
    await applier.apply({ topic, partition, records, next, end: next }, from);
    positions.set(partition, next);
  };

  const applyWindow = async (window: ReadonlyMap<number, readonly LogRecord[]>): Promise<void> => {
    await Promise.all(
      Array.from(window, ([partition, records]) => apply(partition, records, (records.at(-1)?.offset ?? 0) + 1)),
    );
    messages += window.values().reduce((sum, records) => sum + records.length, 0);
    onProgress(messages);
  };

  return {
    buildUpTo: async (until) => {
      let window = new Map<number, LogRecord[]>();
      let size = 0;
      for await (const { partition, record } of readMerged(broker, topic, positions, until)) {
        signal.throwIfAborted();
        const records = window.get(partition);
        if (records === undefined) window.set(partition, [record]);
        else records.push(record);
        size += 1;
        if (size < WINDOW) continue;
        await applyWindow(window);
        window = new Map();
        size = 0;
      }
      await applyWindow(window);
      // The end can be past the last message, if the log ends in other records or its start was deleted.
      for (const [partition, end] of until) if (end > (positions.get(partition) ?? 0)) await apply(partition, [], end);
    },
    positions: () => positions,
    messages: () => messages,
  };
};
