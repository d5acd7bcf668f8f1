import type { Logger } from 'pino';
import type { Broker, Fate, Topic } from '#kafka_common/broker.ts';
import { StoreError } from '#service_common/store_error.ts';
import { type CartBatch, type CartStore, EMPTY_CART_BATCH, type OutboxRow } from '#cart_service/store/cart_store.ts';
import type { LogPositions } from '#cart_service/log/log_positions.ts';
import type { Circumstances } from '#cart_service/order_commands.ts';
import { type PlannedEvent, planBatch } from './plan_batch.ts';
import { type Answer, DONE, failed, nothingDone, type Outcome, type Request } from '#cart_service/requests.ts';
import { createSettlements } from './settlements.ts';
import type { Waiting, WaitingRoom } from './waiting_room.ts';

/** The work of one partition; in at most one batch at a time. */
export interface PartitionWork {
  readonly partition: number;
  queue: Waiting[];
  /** Stored events whose fate is open, in publishing order: in flight, or left over from an earlier batch. */
  outbox: OutboxRow[];
}

export interface BatchWriter {
  /** Decides, stores, publishes and answers the next requests. */
  writeNext(topic: Topic, share: readonly PartitionWork[]): Promise<BatchResult>;
  /** Publishes again what earlier batches left, with the same event ids. */
  relay(topic: Topic, share: readonly PartitionWork[]): Promise<BatchResult>;
  /** Writes down what has been acknowledged, where no batch did. */
  settle(): Promise<void>;
  /** When the broker acknowledged last, ms since 1970; null: not since the start. */
  readonly lastAcknowledgedAt: number | null;
}

interface BatchResult {
  /** Whether there was anything to do; not so where all that waits has an idempotency key that is in another batch. */
  readonly taken: boolean;
  /** Events sent to the broker. */
  readonly sent: number;
  /** What is wrong with the broker, or null. */
  readonly problem: string | null;
}

export interface BatchWriterOptions {
  readonly broker: Broker;
  readonly store: CartStore;
  readonly room: WaitingRoom;
  readonly positions: LogPositions;
  readonly logger: Logger;
  readonly circumstances: () => Circumstances;
  /** The outbox number of the next event. */
  readonly firstSeq: number;
  readonly publishTimeoutMs: number;
  /** Told of every publish, before anybody is answered; for metrics and traces. Must not throw. */
  readonly onPublish: (publish: Publish) => void;
}

/** What was sent to the broker together, and what became of it. */
export interface Publish {
  readonly rows: readonly OutboxRow[];
  /** The requests that the rows come of, by index; null where they are sent again. */
  readonly requests: readonly Request[] | null;
  /** By index. */
  readonly fates: readonly Fate[];
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number;
}

const MAX_BATCH = 500;
/** A request is taken while it has this many times the longest batch of late left. */
const SAFETY = 1.5;
/** Of the longest batch, with each one that is shorter. */
const FORGETTING = 0.8;
const IDEMPOTENCY_KEYS_KEPT_MS = 24 * 60 * 60 * 1_000;
/** With the number that the store forgets at a time, this keeps up with some thousand keys a second. */
const EXPIRY_INTERVAL_MS = 100;

/** A request taken into a batch. */
interface Taken {
  readonly request: Request;
  readonly waiting: Waiting;
  readonly work: PartitionWork;
}

type Planned = PlannedEvent<Taken>;

export const createBatchWriter = (options: BatchWriterOptions): BatchWriter => {
  const { broker, store, room, logger } = options;
  let nextSeq = options.firstSeq;
  let nextExpiry = 0;
  let lastAcknowledgedAt: number | null = null;
  /** What a batch takes from being taken to the fate of its events: the longest of late. */
  let batchMs = 0;
  const keysInFlight = new Set<string>();
  const settlements = createSettlements(options.positions);
  /** The commits under way that write down what was acknowledged without an answer. */
  let recording: Promise<unknown> = Promise.resolve();

  /**
   * Is there time left for a batch? A queue that takes longer than the deadline would otherwise be worked off in order of
   * age, each event published at about the moment when its client is told that nobody knows.
   */
  const comesInTime = ({ deadline }: Waiting): boolean =>
    deadline - performance.now() > Math.min(SAFETY * batchMs, options.publishTimeoutMs / 2);

  /** Takes requests off the queues: no two about one order or under one key, so that each is decided on a settled state. */
  const take = (share: readonly PartitionWork[]): Taken[] => {
    const batch: Taken[] = [];
    const orders = new Set<string>();
    for (const work of share) {
      work.queue = work.queue.filter((waiting) => {
        const { request } = waiting;
        const { command, idempotencyKey: key } = request;
        if (waiting.answered) return false;
        if (batch.length >= MAX_BATCH || orders.has(command.orderId) || (key !== null && keysInFlight.has(key)))
          return true;
        if (!comesInTime(waiting)) {
          room.answer(waiting, failed('KafkaTimeout', nothingDone(command), 'it waited too long for its turn'));
          return false;
        }
        batch.push({ request, waiting, work });
        orders.add(command.orderId);
        if (key !== null) keysInFlight.add(key);
        return false;
      });
    }
    return batch;
  };

  const writeNext = async (topic: Topic, share: readonly PartitionWork[]): Promise<BatchResult> => {
    const started = performance.now();
    const batch = take(share);
    if (batch.length === 0) return { taken: share.every(({ queue }) => queue.length === 0), sent: 0, problem: null };
    const keys = batch.flatMap(({ request }) => request.idempotencyKey ?? []);
    try {
      // A create repeated after `unknown` is known again by what the store says of it.
      await recording;
      if (settlements.hasUnanswered) await commit({});
      const orderIds = batch.map(({ request }) => request.command.orderId);
      const loaded = await store.load(orderIds, keys);
      // Whoever was answered while this was under way has been told that nothing was done.
      const open = batch.filter(({ waiting }) => !waiting.answered);
      const plan = planBatch(open, loaded, nextSeq, options.circumstances());
      const { events, idempotency } = plan;
      nextSeq += events.length;
      for (const { of, answer } of plan.answers) room.answer(of.waiting, answer);
      // From here on, a deadline that passes leaves the outcome unknown.
      for (const { of } of events) of.waiting.stored = true;
      if (events.length + idempotency.length > 0) {
        await commit({ orders: events.map(({ state }) => state), outbox: events.map(({ row }) => row), idempotency });
      }
      for (const { of, answer } of plan.answersAfterCommit) room.answer(of.waiting, answer);
      if (events.length === 0) return { taken: true, sent: 0, problem: null };
      for (const { of, row } of events) of.work.outbox.push(row);
      const rows = events.map(({ row }) => row);
      const requests = events.map(({ of }) => of.request);
      const problem = await settleFates(topic, events, await publish(topic, rows, requests));
      return { taken: true, sent: rows.length, problem };
    } catch (error) {
      logger.error({ err: error }, 'the store failed; the requests of this batch are refused');
      // After a failed sync nobody knows what a recovery will find.
      const inDoubt = error instanceof StoreError && error.code === 'STORE_IN_DOUBT';
      for (const { request, waiting } of batch) {
        const outcome = inDoubt ? 'unknown' : nothingDone(request.command);
        room.answer(waiting, storeFailed(outcome));
      }
      return { taken: true, sent: 0, problem: null };
    } finally {
      batchMs = Math.max(performance.now() - started, batchMs * FORGETTING);
      for (const key of keys) keysInFlight.delete(key);
    }
  };

  /** Answers the requests of a published batch, each by its own message's fate. @returns what is wrong with the broker */
  const settleFates = async (
    topic: Topic,
    events: readonly Planned[],
    fates: readonly Fate[],
  ): Promise<string | null> => {
    let problem: string | null = null;
    const notWritten: Planned[] = [];
    const settled = new Set<OutboxRow>();
    events.forEach((event, index) => {
      const { row, of } = event;
      const fate = fates[index] ?? NO_FATE;
      if (fate.kind === 'acknowledged') {
        settlements.acknowledged(row, fate, topic, !of.waiting.answered);
        settled.add(row);
        room.answer(of.waiting, DONE);
        return;
      }
      problem ??= fate.detail;
      // Whoever was told `unknown` meanwhile must find the order once Kafka is back: its event stays and is relayed.
      if (fate.kind === 'not_written' && !of.waiting.answered) notWritten.push(event);
      else
        room.answer(
          of.waiting,
          failed('KafkaTimeout', 'unknown', `Kafka did not acknowledge the event: ${fate.detail}`),
        );
    });
    removeFromOutbox(new Set(events.map(({ of }) => of.work)), settled);
    if (notWritten.length > 0) await takeBack(notWritten, problem ?? NO_FATE.detail);
    return problem;
  };

  /** Undoes events that are certainly not written, before anybody is told so. */
  const takeBack = async (events: readonly Planned[], reason: string): Promise<void> => {
    const takenBack = events.map(({ row, previous, of }) => ({
      seq: row.seq,
      orderId: row.orderId,
      previous,
      idempotencyKey: of.request.idempotencyKey,
    }));
    try {
      await commit({ takenBack });
    } catch (error) {
      logger.error(
        { err: error },
        'the store failed to take back events; they stay in the outbox and will be published',
      );
      for (const { of } of events) {
        room.answer(of.waiting, storeFailed('unknown'));
      }
      return;
    }
    removeFromOutbox(new Set(events.map(({ of }) => of.work)), new Set(events.map(({ row }) => row)));
    for (const { of } of events) {
      const outcome = nothingDone(of.request.command);
      room.answer(of.waiting, failed('KafkaBrokersUnavailable', outcome, `the event was not written: ${reason}`));
    }
  };

  const relay = async (topic: Topic, share: readonly PartitionWork[]): Promise<BatchResult> => {
    const rows = share
      .flatMap(({ outbox }) => outbox)
      .toSorted((a, b) => a.seq - b.seq)
      .slice(0, MAX_BATCH);
    const fates = await publish(topic, rows, null);
    const settled = new Set<OutboxRow>();
    let problem: string | null = null;
    rows.forEach((row, index) => {
      const fate = fates[index] ?? NO_FATE;
      if (fate.kind === 'acknowledged') {
        settlements.acknowledged(row, fate, topic, false);
        settled.add(row);
      } else problem ??= fate.detail;
    });
    removeFromOutbox(new Set(share), settled);
    return { taken: true, sent: rows.length, problem };
  };

  const publish = async (topic: Topic, rows: readonly OutboxRow[], requests: Publish['requests']): Promise<Fate[]> => {
    const startedAt = performance.now();
    const messages = rows.map(({ message }) => message);
    const fates = await broker.publish(topic, messages, options.publishTimeoutMs);
    options.onPublish({ rows, requests, fates, startedAt, endedAt: performance.now() });
    if (fates.some(({ kind }) => kind === 'acknowledged')) lastAcknowledgedAt = options.circumstances().now;
    return fates;
  };

  /** One transaction; what was acknowledged since the last one rides along. */
  const commit = async (part: Partial<CartBatch>): Promise<void> => {
    // Not paced by the clock that the keys' age is told by: that one can be set back.
    const started = performance.now();
    const expireBefore = started >= nextExpiry ? options.circumstances().now - IDEMPOTENCY_KEYS_KEPT_MS : null;
    const settled = settlements.take();
    const committed = store
      .commit({ ...EMPTY_CART_BATCH, ...settled, expireBefore, ...part })
      .catch((error: unknown) => {
        settlements.giveBack(settled);
        throw error;
      });
    if (settled.unanswered.length > 0) recording = Promise.allSettled([recording, committed]);
    await committed;
    if (expireBefore !== null) nextExpiry = started + EXPIRY_INTERVAL_MS;
  };

  return {
    writeNext,
    relay,
    async settle() {
      if (!settlements.isEmpty) await commit({});
    },
    get lastAcknowledgedAt() {
      return lastAcknowledgedAt;
    },
  };
};

const NO_FATE = { kind: 'unknown', detail: 'the broker told no fate' } as const satisfies Fate;

const storeFailed = (outcome: Outcome): Answer =>
  failed('StoreUnavailable', outcome, 'the store of the Cart Service failed; its log has the cause');

const removeFromOutbox = (works: ReadonlySet<PartitionWork>, rows: ReadonlySet<OutboxRow>): void => {
  for (const work of works) work.outbox = work.outbox.filter((row) => !rows.has(row));
};
