import { setImmediate as othersTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Batch, LogRecord } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { AppliedBatch, ConsumerDb, DeadLetter, EventOutcome, HistoryEvent } from '#order_service/consumer_db.ts';
import { applyEvents } from '#order_service/order_event_handler.ts';
import { redrivenLetter } from '#order_service/redrive/redrive_header.ts';
import { traceIdOf } from '#order_service/telemetry/message_trace.ts';

export interface BatchApplierOptions {
  readonly db: Pick<ConsumerDb, 'load' | 'applyBatch'>;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds to wait after the given number of failures of the store in a row. */
  readonly storeRetryDelay: (failures: number) => number;
  /** Told of each transaction once it is committed: what is in it can be read. */
  readonly onApplied: (applied: Applied) => void;
  /** Ends the tries on a store that fails. */
  readonly signal: AbortSignal;
}

/** What a transaction changed. */
export interface Applied {
  /** The orders that are in the view with it, or changed. */
  readonly orderIds: readonly string[];
  /** All events in it. */
  readonly history: readonly HistoryEvent[];
  /** The same, with the messages that they came in. */
  readonly events: readonly LocatedEvent[];
  readonly deadLetters: readonly DeadLetter[];
  /** From the first look at the records until it was committed, on the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface ApplierStatus {
  /** Events by what became of them, since the start. */
  readonly outcomes: Readonly<Record<EventOutcome, number>>;
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

/** Of the key of a message that nobody could read, in a log line. */
const SHOWN_KEY = 100;

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
  const { db, logger, now, storeRetryDelay, onApplied, signal } = options;
  const outcomes = { applied: 0, duplicate: 0, waiting: 0 };
  let deadLettersSoFar = 0;
  let keyMismatches = 0;
  let storeFailure: string | null = null;
  let queue: Queued[] = [];
  let isApplying = false;

  const applyParts = async (parts: readonly Part[]): Promise<void> => {
    const startedAt = performance.now();
    const decoded = parts.map(({ of, records }) => decodeRecords(of.batch, records, now()));
    const located = decoded.flatMap((part) => part.events);
    const events = located.map(({ event }) => event);
    const deadLetters = decoded.flatMap((part) => part.deadLetters);
    const { lastEvents, ...loaded } = await db.load(
      [...new Set(events.map(({ orderId }) => orderId))],
      events.filter(({ version }) => version === null).map(({ eventId }) => eventId),
    );
    const { outcomes: became, ...effect } = applyEvents(loaded, events, now());
    const history = located.map((one, n) => toHistory(one, became[n] ?? 'duplicate'));
    const redriven = redrivesIn(located, history, deadLetters);
    const positions = parts.map(({ of: { batch, from }, next }) => {
      const { topic, partition } = batch;
      return { topic: topic.name, partition, topicId: topic.id, from, next };
    });
    await db.applyBatch({ positions, ...effect, history, lastEvents, deadLetters, redriven });
    const endedAt = performance.now();

    for (const outcome of became) outcomes[outcome] += 1;
    deadLettersSoFar += deadLetters.length;
    for (const part of decoded) {
      keyMismatches += part.keyMismatches.length;
      warnOf(part);
    }
    const orderIds = effect.views.filter(({ waitingSince }) => waitingSince === null).map(({ orderId }) => orderId);
    onApplied({ orderIds, history, events: located, deadLetters, startedAt, endedAt });
  };

  const warnOf = ({ partition, ...decoded }: DecodedRecords): void => {
    const [first] = decoded.deadLetters;
    if (first) {
      const { offset, reason, key } = first;
      const of = { offset, key: key?.toString().slice(0, SHOWN_KEY), traceId: traceIdOf(first), reason };
      logger.warn({ partition, count: decoded.deadLetters.length, ...of }, 'messages set aside as dead letters');
    }
    const [mismatch] = decoded.keyMismatches;
    if (mismatch) {
      const { event, record } = mismatch;
      const { orderId, eventId } = event;
      const of = { offset: record.offset, orderId, eventId, traceId: traceIdOf(record) };
      logger.warn(
        { partition, count: decoded.keyMismatches.length, ...of },
        'events under another key than their order id',
      );
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

/** An event and the message that it came in. */
interface LocatedEvent {
  readonly event: OrderEvent;
  readonly partition: number;
  readonly record: LogRecord;
}

interface DecodedRecords {
  readonly partition: number;
  readonly events: readonly LocatedEvent[];
  readonly deadLetters: readonly DeadLetter[];
  readonly keyMismatches: readonly LocatedEvent[];
}

const decodeRecords = ({ topic, partition }: Batch, records: readonly LogRecord[], now: number): DecodedRecords => {
  const events: LocatedEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  const keyMismatches: LocatedEvent[] = [];
  for (const record of records) {
    const decoded = decodeEvent(record);
    if (decoded.kind === 'invalid') {
      deadLetters.push({ ...record, topic: topic.name, partition, reason: decoded.reason, storedAt: now });
    } else {
      const located = { event: decoded.event, partition, record };
      events.push(located);
      if (!decoded.keyMatches) keyMismatches.push(located);
    }
  }
  return { partition, events, deadLetters, keyMismatches };
};

const toHistory = ({ event, partition, record }: LocatedEvent, outcome: EventOutcome): HistoryEvent => ({
  orderId: event.orderId,
  type: event.type,
  version: event.version,
  status: event.type === 'ORDER_CREATED' ? event.order.status : event.status,
  timestamp: Date.parse(event.timestamp),
  partition,
  offset: record.offset,
  outcome,
});

/** What the messages of a transaction say of dead letters that were published again. */
const redrivesIn = (
  events: readonly LocatedEvent[],
  history: readonly HistoryEvent[],
  deadLetters: readonly DeadLetter[],
): AppliedBatch['redriven'] => [
  ...events.flatMap(({ partition, record }, n) => {
    const letter = redrivenLetter(record.headers);
    const outcome = history[n]?.outcome;
    return letter && outcome ? [{ letter, at: record.timestamp, partition, offset: record.offset, outcome }] : [];
  }),
  ...deadLetters.flatMap(({ headers, timestamp: at, partition, offset }) => {
    const letter = redrivenLetter(headers);
    return letter ? [{ letter, at, partition, offset, outcome: 'dead_letter' as const }] : [];
  }),
];
