import { setImmediate as othersTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Batch, LogRecord } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { AppliedBatch, ConsumerDb, DeadLetter } from './consumer_db.ts';
import { applyEvents, type Effect } from './order_event_handler.ts';

export interface BatchApplierOptions {
  readonly db: Pick<ConsumerDb, 'load' | 'applyBatch'>;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds to wait after the given number of failures of the store in a row. */
  readonly storeRetryDelay: (failures: number) => number;
  /** The orders that can be read since the transaction just committed. */
  readonly onOrders: (orderIds: readonly string[]) => void;
  /** Ends the tries on a store that fails. */
  readonly signal: AbortSignal;
}

export interface ApplierStatus {
  /** Events by what became of them, since the start. */
  readonly outcomes: Readonly<Record<Effect['outcome'], number>>;
  readonly deadLetters: number;
  /** Events under another key than their order id: applied, but only `version` keeps them in order. */
  readonly keyMismatches: number;
  /** Why the store took no transaction the last time, or null where it did. */
  readonly storeFailure: string | null;
}

export interface BatchApplier {
  /**
   * Applies the records of a batch to the view and sets the position to the batch's end, in transactions of bounded
   * size. Batches that come while one is under way share the next: a fetch brings a few records of many partitions, and
   * each transaction waits for the disk. There is one transaction at a time, since an order can have events in two
   * partitions: those of a producer that uses other keys, or from before partitions were added. A store that fails is
   * tried again until the signal aborts.
   * @param from the position that the view has of the partition; null for none
   * @throws the signal's reason, or StoreError `STORE_OVERTAKEN`
   */
  readonly apply: (batch: Batch, from: number | null) => Promise<void>;
  readonly status: () => ApplierStatus;
}

/** Records in one transaction: what batches of any size may keep other requests waiting (20 ms), or hold in memory twice. */
const CHUNK_SIZE = 500;

/** A batch on its way into the view. */
interface Queued {
  /** What is left of it. */
  batch: Batch;
  /** Where the view stands. */
  from: number | null;
  readonly done: PromiseWithResolvers<void>;
}

/** What a transaction takes of a batch. */
interface Part {
  readonly of: Queued;
  readonly records: readonly LogRecord[];
  readonly next: number;
}

export const createBatchApplier = (options: BatchApplierOptions): BatchApplier => {
  const { db, logger, now, storeRetryDelay, onOrders, signal } = options;
  const outcomes = { applied: 0, duplicate: 0, waiting: 0 };
  let deadLettersSoFar = 0;
  let keyMismatches = 0;
  let storeFailure: string | null = null;
  let queue: Queued[] = [];
  let isApplying = false;

  const applyParts = async (parts: readonly Part[]): Promise<void> => {
    const decoded = parts.map(({ of, records }) => decodeRecords(of.batch, records, now()));
    const events = decoded.flatMap((part) => part.events);
    const deadLetters = decoded.flatMap((part) => part.deadLetters);
    const loaded = await db.load(
      [...new Set(events.map(({ orderId }) => orderId))],
      events.filter(({ version }) => version === null).map(({ eventId }) => eventId),
    );
    const { outcomes: counted, ...effect } = applyEvents(loaded, events, now());
    const positions = parts.map(({ of: { batch, from }, next }) => {
      const { topic, partition } = batch;
      return { topic: topic.name, partition, topicId: topic.id, from, next };
    });
    await db.applyBatch({ positions, ...effect, deadLetters });

    for (const outcome of ['applied', 'duplicate', 'waiting'] as const) outcomes[outcome] += counted[outcome];
    deadLettersSoFar += deadLetters.length;
    for (const part of decoded) {
      keyMismatches += part.keyMismatches;
      warnOf(part);
    }
    onOrders(effect.views.filter(({ waitingSince }) => waitingSince === null).map(({ orderId }) => orderId));
  };

  const warnOf = ({ partition, ...decoded }: DecodedRecords): void => {
    const [first] = decoded.deadLetters;
    if (first) {
      const { offset, reason } = first;
      logger.warn(
        { partition, count: decoded.deadLetters.length, offset, reason },
        'messages set aside as dead letters',
      );
    }
    if (decoded.keyMismatches > 0) {
      logger.warn({ partition, count: decoded.keyMismatches }, 'events under another key than their order id');
    }
  };

  const untilStored = async (work: () => Promise<void>): Promise<void> => {
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      try {
        await work();
        if (storeFailure !== null) logger.info('the store takes transactions again');
        storeFailure = null;
        return;
      } catch (error) {
        if (!(error instanceof StoreError) || error.code === 'STORE_OVERTAKEN') throw error;
        storeFailure = error.message;
        const delayMs = storeRetryDelay(failures);
        logger.error({ failures, delayMs, reason: error.message }, 'the store failed, nothing was committed');
        await sleep(delayMs, undefined, { signal });
      }
    }
  };

  const applyQueued = async (): Promise<void> => {
    while (queue.length > 0) {
      const parts = partsOf(queue);
      try {
        await untilStored(() => applyParts(parts));
        for (const { of, next, records } of parts) {
          of.from = next;
          of.batch = { ...of.batch, records: of.batch.records.slice(records.length) };
          if (next === of.batch.next) of.done.resolve();
        }
        queue = queue.filter(({ batch, from }) => from !== batch.next);
      } catch (error) {
        for (const { of } of parts) of.done.reject(error);
        queue = queue.filter((queued) => !parts.some(({ of }) => of === queued));
      }
      await othersTurn();
    }
    isApplying = false;
  };

  return {
    apply: (batch, from) => {
      const done = Promise.withResolvers<void>();
      queue.push({ batch, from, done });
      if (!isApplying) {
        isApplying = true;
        // Not at once: the other batches of the same fetch come in this turn.
        queueMicrotask(() => void applyQueued());
      }
      return done.promise;
    },
    status: () => ({ outcomes: { ...outcomes }, deadLetters: deadLettersSoFar, keyMismatches, storeFailure }),
  };
};

/** The parts of one transaction: at least one, also without records, as that too moves its position; of each partition at most one. */
const partsOf = (queue: readonly Queued[]): Part[] => {
  const parts = new Map<number, Part>();
  let left = CHUNK_SIZE;
  for (const of of queue) {
    const { batch } = of;
    if (left <= 0) break;
    if (parts.has(batch.partition)) continue;
    const records = batch.records.slice(0, left);
    const last = records.at(-1);
    const isRest = records.length === batch.records.length || !last;
    parts.set(batch.partition, { of, records, next: isRest ? batch.next : last.offset + 1 });
    left -= records.length;
  }
  return [...parts.values()];
};

interface DecodedRecords {
  readonly partition: number;
  readonly events: readonly OrderEvent[];
  readonly deadLetters: AppliedBatch['deadLetters'];
  readonly keyMismatches: number;
}

const decodeRecords = ({ topic, partition }: Batch, records: readonly LogRecord[], now: number): DecodedRecords => {
  const events: OrderEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  let keyMismatches = 0;
  for (const record of records) {
    const decoded = decodeEvent(record);
    if (decoded.kind === 'invalid') {
      deadLetters.push({ ...record, topic: topic.name, partition, reason: decoded.reason, storedAt: now });
    } else {
      events.push(decoded.event);
      if (!decoded.keyMatches) keyMismatches += 1;
    }
  }
  return { partition, events, deadLetters, keyMismatches };
};
