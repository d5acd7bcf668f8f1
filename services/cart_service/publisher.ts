import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import {
  type BatchWriterOptions,
  createBatchWriter,
  type PartitionWork,
} from '#cart_service/publishing/batch_writer.ts';
import type { CartStore, OutboxRow } from '#cart_service/store/cart_store.ts';
import { catchUp } from '#cart_service/log/catch_up.ts';
import { followLog } from '#cart_service/log/follow_log.ts';
import { backoffMs, createLeaderHealth } from '#cart_service/publishing/leader_health.ts';
import { createLogPositions } from '#cart_service/log/log_positions.ts';
import type { Circumstances } from './order_commands.ts';
import { type Answer, failed, nothingDone, type Request } from './requests.ts';
import { createWaitingRoom } from '#cart_service/publishing/waiting_room.ts';

/**
 * The write path: group commit with a transactional outbox.
 *
 * Requests that arrive while a batch is under way form the next one. A batch is decided, stored with its events in one
 * transaction, published in one send, and answered by each message's own fate (`batch_writer.ts`). There is one batch
 * at a time for each partition leader, a lane, so that a dead leader delays only the orders whose partitions it leads;
 * and no partition is in two batches, so that no event overtakes an earlier one of its order.
 */
export interface Publisher {
  /** Always resolves, within the request deadline. */
  submit(request: Request): Promise<Answer>;
  status(): PublisherStatus;
  /** Answers the requests inside within `ms`, takes no more after that, and writes down what is acknowledged. */
  close(ms: number): Promise<void>;
}

export interface PublisherStatus {
  /** `starting` until the store is level with the log; `impaired` while a partition leader does not take events. */
  readonly state: 'starting' | 'open' | 'impaired' | 'closing';
  readonly reason: string | null;
  /** Requests inside. */
  readonly waiting: number;
  /** Events stored but not known to be acknowledged. */
  readonly unsettled: number;
  /** When the oldest of them happened, ms since 1970; null: there is none. */
  readonly oldestUnsettledAt: number | null;
  /** Ms since 1970; null: not since the start. */
  readonly lastAcknowledgedAt: number | null;
}

export interface PublisherOptions {
  readonly broker: Broker;
  readonly store: CartStore;
  readonly topic: string;
  /** For the topic, where it has to be created. */
  readonly partitions: number;
  readonly requestDeadlineMs: number;
  readonly queueLimit: number;
  readonly logger: Logger;
  readonly circumstances: () => Circumstances;
  readonly onPublish: BatchWriterOptions['onPublish'];
}

/**
 * Of a request's time, the part that a publish may take. Nobody is answered by one that takes all of it, while a lane that
 * waits for an acknowledgement lost in silence is not there for those who come when all is well again.
 */
const PUBLISH_SHARE = 0.6;
const PROBE_TIMEOUT_MS = 1_000;
/** For the reading under way when the service is stopped. */
const READING_MS = 500;
/**
 * How long a batch waits for the turn of the event loop that ends the arrivals. Under a flood there is none for seconds:
 * libuv reads from up to 48 times 1,024 sockets before it comes to anything else.
 */
const LATE_MS = 10;
/** How long acknowledgements wait for a transaction to ride on before they get one of their own. */
const SETTLE_IDLE_MS = 50;

export const createPublisher = async (options: PublisherOptions): Promise<Publisher> => {
  const { broker, store, logger } = options;
  const closing = new AbortController();

  /** What the last process left: known before the topic is. */
  let recovered = await store.outbox();
  let topic: Topic | null = null;
  let startProblem = 'not connected yet';
  let works: PartitionWork[] = [];

  const lanes = new Set<number>();
  const inBatch = new Set<PartitionWork>();
  /** When a look for batches to start was asked for, on the clock of `performance.now()`; null: it is not. */
  let scheduledAt: number | null = null;
  let first = 0;
  let idle: NodeJS.Timeout | undefined;

  const workOf = ({ command }: Request): PartitionWork | undefined =>
    topic === null ? undefined : works[partitionOf(command.orderId, topic.partitions)];

  /** Is there an event of this order whose fate is open? Then "nothing was done" could prove wrong. */
  const isUnsettled = (request: Request): boolean =>
    (workOf(request)?.outbox ?? recovered).some((row) => row.orderId === request.command.orderId);

  const outcomeOf = (request: Request, stored: boolean) =>
    stored || isUnsettled(request) ? 'unknown' : nothingDone(request.command);

  const unavailable = (request: Request, reason: string): Answer =>
    failed('KafkaBrokersUnavailable', outcomeOf(request, false), `Kafka does not take events now: ${reason}`);

  const room = createWaitingRoom({
    limit: options.queueLimit,
    deadlineMs: options.requestDeadlineMs,
    onDeadline: ({ request, stored }) =>
      failed(
        'KafkaTimeout',
        outcomeOf(request, stored),
        `Kafka did not acknowledge within ${options.requestDeadlineMs} ms`,
      ),
  });

  const positions = createLogPositions();
  const writer = createBatchWriter({
    ...options,
    room,
    positions,
    firstSeq: (recovered.at(-1)?.seq ?? 0) + 1,
    publishTimeoutMs: options.requestDeadlineMs * PUBLISH_SHARE,
  });

  const schedule = (): void => {
    const now = performance.now();
    if (scheduledAt === null) {
      scheduledAt = now;
      setImmediate(startBatches);
    } else if (now - scheduledAt > LATE_MS) startBatches();
  };

  const health = createLeaderHealth({
    probe: (leader) => broker.probe(options.topic, leader, PROBE_TIMEOUT_MS),
    onBack: schedule,
    logger,
    signal: closing.signal,
  });

  const startBatches = (): void => {
    scheduledAt = null;
    if (topic === null || closing.signal.aborted) return;
    const shares = new Map<number, PartitionWork[]>();
    // From another partition each time, so that under overload none of them waits for ever.
    first = (first + 1) % works.length;
    for (const work of [...works.slice(first), ...works.slice(0, first)]) {
      if (inBatch.has(work) || work.queue.length + work.outbox.length === 0) continue;
      const leader = broker.leaderOf(options.topic, work.partition);
      if (lanes.has(leader) || health.whyDown(leader) !== undefined) continue;
      const share = shares.get(leader) ?? [];
      share.push(work);
      shares.set(leader, share);
    }
    for (const [leader, share] of shares) void runLane(topic, leader, share);
    if (lanes.size === 0) idle ??= setTimeout(settleIdle, SETTLE_IDLE_MS);
  };

  const runLane = async (of: Topic, leader: number, share: readonly PartitionWork[]): Promise<void> => {
    lanes.add(leader);
    for (const work of share) inBatch.add(work);
    let taken = true;
    try {
      // What earlier batches left goes before anything newer.
      const left = share.filter(({ outbox }) => outbox.length > 0);
      const result = left.length > 0 ? await writer.relay(of, left) : await writer.writeNext(of, share);
      taken = result.taken;
      if (result.problem !== null) takeDown(leader, result.problem);
      else if (result.sent > 0) health.succeeded(leader);
    } catch (error) {
      logger.error({ err: error }, 'a batch failed by a fault of this service');
      takeDown(leader, 'a fault of the Cart Service, which was logged');
    } finally {
      for (const work of share) inBatch.delete(work);
      lanes.delete(leader);
      // Where nothing could be taken, another lane has the idempotency key, and schedules when it is done with it.
      if (taken) schedule();
    }
  };

  /** From here on, what this leader would have to take is refused at once, until a probe finds it back. */
  const takeDown = (leader: number, reason: string): void => {
    health.failed(leader, reason);
    for (const work of works) {
      if (broker.leaderOf(options.topic, work.partition) !== leader) continue;
      for (const waiting of work.queue) room.answer(waiting, unavailable(waiting.request, reason));
      work.queue = [];
    }
  };

  const settleIdle = (): void => {
    idle = undefined;
    void settle();
  };

  /** What a store does not take now is learnt from the log at the next start. */
  const settle = (): Promise<void> =>
    writer
      .settle()
      .catch((error: unknown) => logger.error({ err: error }, 'the store failed to settle acknowledged events'));

  const open = async (): Promise<Topic | null> => {
    for (let attempt = 1; !closing.signal.aborted; attempt++) {
      try {
        const found = await broker.ensureTopic(options.topic, options.partitions);
        const left = await catchUp({ broker, store, topic: found, positions, logger });
        works = Array.from({ length: found.partitions }, (_, partition) => ({
          partition,
          queue: [],
          outbox: left.filter((row) => partitionOf(row.orderId, found.partitions) === partition),
        }));
        topic = found;
        recovered = [];
        logger.info({ topic: found.name, partitions: found.partitions }, 'ready to publish');
        schedule();
        return found;
      } catch (error) {
        const reason = reasonOf(error);
        if (reason !== startProblem) logger.warn({ reason }, 'cannot publish yet; trying again');
        startProblem = reason;
        await sleep(backoffMs(attempt), undefined, { signal: closing.signal }).catch(() => {});
      }
    }
    return null;
  };
  const following = open().then(
    (found) => found && followLog({ broker, store, topic: found, positions, logger }, closing.signal),
  );

  return {
    submit(request) {
      const work = workOf(request);
      if (closing.signal.aborted) {
        return Promise.resolve(failed('ServiceStopping', outcomeOf(request, false), 'the Cart Service is stopping'));
      }
      if (work === undefined) return Promise.resolve(unavailable(request, startProblem));
      const reason = health.whyDown(broker.leaderOf(options.topic, work.partition));
      if (reason !== undefined) return Promise.resolve(unavailable(request, reason));
      return new Promise((resolve) => {
        const waiting = room.enter(request, resolve);
        if (waiting === null) {
          schedule();
          resolve(failed('ProducerQueueFull', outcomeOf(request, false), 'too many requests wait already'));
          return;
        }
        work.queue.push(waiting);
        schedule();
      });
    },

    status() {
      const problem = topic === null ? startProblem : health.problem;
      const outbox = topic === null ? recovered : works.flatMap((work) => work.outbox);
      return {
        state: closing.signal.aborted
          ? 'closing'
          : topic === null
            ? 'starting'
            : problem === null
              ? 'open'
              : 'impaired',
        reason: problem,
        waiting: room.size,
        unsettled: outbox.length,
        oldestUnsettledAt: happenedAt(outbox),
        lastAcknowledgedAt: writer.lastAcknowledgedAt,
      };
    },

    async close(ms) {
      const deadline = performance.now() + ms;
      while (room.size > 0 && performance.now() < deadline) await sleep(10);
      closing.abort();
      for (const waiting of room) {
        const outcome = outcomeOf(waiting.request, waiting.stored);
        room.answer(waiting, failed('ServiceStopping', outcome, 'the Cart Service is stopping'));
      }
      // A broker that stands still must not hold this up: what it interrupts is caught up with at the next start.
      await Promise.race([following, sleep(READING_MS, undefined, { ref: false })]);
      clearTimeout(idle);
      await settle();
    },
  };
};

/** When the oldest of these events happened, as their headers say. */
const happenedAt = (outbox: readonly OutboxRow[]): number | null => {
  const [first] = outbox;
  if (first === undefined) return null;
  const oldest = outbox.reduce((a, b) => (b.seq < a.seq ? b : a), first);
  const at = Date.parse(oldest.message.headers['ce_time'] ?? '');
  return Number.isNaN(at) ? null : at;
};
