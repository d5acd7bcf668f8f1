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
   * size. Batches are applied one after the other, since an order can have events in two partitions: those of a
   * producer that uses other keys, or from before partitions were added. A store that fails is tried again until the
   * signal aborts.
   * @param from the position that the view has of the partition; null for none
   * @throws the signal's reason, or StoreError `STORE_OVERTAKEN`
   */
  readonly apply: (batch: Batch, from: number | null, signal: AbortSignal) => Promise<void>;
  readonly status: () => ApplierStatus;
}

/** Records in one transaction: what a batch of any size may keep other requests waiting (20 ms), or hold in memory twice. */
const CHUNK_SIZE = 500;

export const createBatchApplier = (options: BatchApplierOptions): BatchApplier => {
  const { db, logger, now, storeRetryDelay, onOrders } = options;
  const outcomes = { applied: 0, duplicate: 0, waiting: 0 };
  let deadLetters = 0;
  let keyMismatches = 0;
  let storeFailure: string | null = null;
  let lane: Promise<void> = Promise.resolve();

  const applyChunk = async ({ topic, partition, records, next }: Batch, from: number | null): Promise<void> => {
    const decoded = decodeRecords(topic.name, partition, records, now());
    const { events } = decoded;
    const loaded = await db.load(
      [...new Set(events.map(({ orderId }) => orderId))],
      events.filter(({ version }) => version === null).map(({ eventId }) => eventId),
    );
    const { outcomes: counted, ...effect } = applyEvents(loaded, events, now());
    const position = { partition, topicId: topic.id, next };
    await db.applyBatch({ topic: topic.name, from, position, ...effect, deadLetters: decoded.deadLetters });

    for (const outcome of ['applied', 'duplicate', 'waiting'] as const) outcomes[outcome] += counted[outcome];
    deadLetters += decoded.deadLetters.length;
    keyMismatches += decoded.keyMismatches;
    warnOf(decoded, partition);
    onOrders(effect.views.filter(({ waitingSince }) => waitingSince === null).map(({ orderId }) => orderId));
  };

  const warnOf = (decoded: DecodedRecords, partition: number): void => {
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

  const untilStored = async (work: () => Promise<void>, signal: AbortSignal): Promise<void> => {
    for (let failures = 1; ; failures += 1) {
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

  const applyAll = async (batch: Batch, from: number | null, signal: AbortSignal): Promise<void> => {
    let position = from;
    for (const chunk of chunksOf(batch)) {
      signal.throwIfAborted();
      const decidedAt = position;
      await untilStored(() => applyChunk(chunk, decidedAt), signal);
      position = chunk.next;
      await othersTurn();
    }
  };

  return {
    apply: (batch, from, signal) => {
      const done = lane.then(() => applyAll(batch, from, signal));
      lane = done.catch(() => {});
      return done;
    },
    status: () => ({ outcomes: { ...outcomes }, deadLetters, keyMismatches, storeFailure }),
  };
};

/** At least one: a batch without records still moves the position. */
const chunksOf = (batch: Batch): Batch[] => {
  const count = Math.max(1, Math.ceil(batch.records.length / CHUNK_SIZE));
  return Array.from({ length: count }, (_, n) => {
    const records = batch.records.slice(n * CHUNK_SIZE, (n + 1) * CHUNK_SIZE);
    const last = records.at(-1);
    return { ...batch, records, next: n === count - 1 || !last ? batch.next : last.offset + 1 };
  });
};

interface DecodedRecords {
  readonly events: readonly OrderEvent[];
  readonly deadLetters: AppliedBatch['deadLetters'];
  readonly keyMismatches: number;
}

const decodeRecords = (
  topic: string,
  partition: number,
  records: readonly LogRecord[],
  now: number,
): DecodedRecords => {
  const events: OrderEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  let keyMismatches = 0;
  for (const record of records) {
    const decoded = decodeEvent(record);
    if (decoded.kind === 'invalid') {
      deadLetters.push({ ...record, topic, partition, reason: decoded.reason, storedAt: now });
    } else {
      events.push(decoded.event);
      if (!decoded.keyMatches) keyMismatches += 1;
    }
  }
  return { events, deadLetters, keyMismatches };
};
