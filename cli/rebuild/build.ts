import { join } from 'node:path';
import { pino } from 'pino';
import type { Broker, LogRecord, Positions, Topic } from '#kafka_common/broker.ts';
import { createBatchApplier } from '#order_service/consuming/batch_applier.ts';
import { createSqliteConsumerDb, VIEW_FILE } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import { startCheckpoints } from '#service_common/sqlite/checkpoints.ts';
import { failed } from '../failures.ts';
import { readMerged } from '../merged_log.ts';

/** A second view, of its own folder, that is built from the log as far as it is told. */
export interface ViewBuilder {
  /** Applies what the log has up to these positions, not above its end. @throws BrokerError, Failure, the signal's reason */
  readonly buildUpTo: (until: Positions) => Promise<void>;
  readonly positions: () => Positions;
  readonly messages: () => number;
  readonly counts: () => Promise<{ orders: number; pending: number; deadLetters: number }>;
  /** Brings all into the one file, and lets go of it. */
  readonly close: () => Promise<void>;
}

export interface ViewBuilderOptions {
  readonly directory: string;
  readonly broker: Pick<Broker, 'read' | 'bounds'>;
  readonly topic: Topic;
  readonly signal: AbortSignal;
  /** Messages applied so far. */
  readonly onProgress: (messages: number) => void;
}

/** What one transaction of the applier takes: orders arrive in it by partition, and by time over many of them. */
const WINDOW = 500;

/** @throws StoreError */
export const createViewBuilder = (options: ViewBuilderOptions): ViewBuilder => {
  const { directory, broker, topic, signal, onProgress } = options;
  const db = createSqliteConsumerDb({ directory });
  const checkpoints = startCheckpoints([join(directory, VIEW_FILE)]);
  const applier = createBatchApplier({
    db,
    // What it warns of is counted, and stands in the view.
    logger: pino({ level: 'silent' }),
    now: Date.now,
    // A service waits for room on the disk, a command does not.
    storeRetryDelay: () => {
      throw failed(applier.status().storeFailure ?? 'the store failed');
    },
    onApplied: () => {},
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
      // A log can end in what is no message, and its start be gone.
      for (const [partition, end] of until) if (end > (positions.get(partition) ?? 0)) await apply(partition, [], end);
    },
    positions: () => positions,
    messages: () => messages,
    counts: async () => {
      const { orders, waiting, deadLetters } = await db.counts();
      return { orders, pending: waiting, deadLetters };
    },
    close: async () => {
      await checkpoints.stop();
      await db.close();
    },
  };
};
