import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker } from '#kafka_common/broker.ts';
import { createLogPositions } from '#cart_service/log/log_positions.ts';
import { openLog } from '#cart_service/log/open_log.ts';
import type { PublishObserver } from '#cart_service/publishing/batches/event_sender.ts';
import { failedWith, QUEUE_FULL, STOPPING } from '#cart_service/publishing/waiting/failures.ts';
import type { WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import type { Refusals } from '#cart_service/publishing/refusals.ts';
import { createWritePath } from '#cart_service/publishing/write_path.ts';
import type { CartStore, OutboxRow } from '#cart_service/store/cart_store.ts';
import type { Circumstances } from './order_commands.ts';
import type { Answer, CommandRequest } from './requests.ts';

/** Takes the requests for commands, publishes their events, and answers each by what became of its event. */
export interface Publisher {
  /** Always resolves, within the request deadline. */
  submit(request: CommandRequest): Promise<Answer>;
  status(): PublisherStatus;
  /** Takes no more requests after `ms`: those that still wait are answered then. Stores what is acknowledged. */
  close(ms: number): Promise<void>;
}

export interface PublisherStatus {
  /** `starting` until the store is level with the log; `impaired` while a partition leader does not take events. */
  readonly state: 'starting' | 'open' | 'impaired' | 'closing';
  readonly reason: string | null;
  /** Requests that wait for their answer. */
  readonly waiting: number;
  /** Events stored but not known to be acknowledged. */
  readonly unsettled: number;
  /** When the oldest of them happened, ms since 1970; null if there is none. */
  readonly oldestUnsettledAt: number | null;
  /** Events dropped since the start, because Kafka refuses them for good. Their clients got no success. */
  readonly dropped: number;
  /** Ms since 1970; null if nothing was acknowledged since the start. */
  readonly lastAcknowledgedAt: number | null;
}

export interface PublisherOptions {
  readonly broker: Broker;
  readonly store: CartStore;
  readonly topic: string;
  /** For a topic that has to be created. */
  readonly partitions: number;
  readonly requestDeadlineMs: number;
  /** Requests that may wait at once. */
  readonly queueLimit: number;
  readonly logger: Logger;
  readonly circumstances: () => Circumstances;
  readonly observers: readonly PublishObserver[];
}

/** How long stopping waits for a read of the log that is under way, and how long for the store's word on what waits. */
const READING_MS = 500;
const ASKING_MS = 250;

export const createPublisher = async (options: PublisherOptions): Promise<Publisher> => {
  const { store } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const positions = createLogPositions();
  const [outbox, firstSeq] = await Promise.all([store.outbox(), store.firstSeq()]);
  const { queues, room, place, refusals, health, lanes, ...path } = createWritePath({
    ...options,
    outbox,
    firstSeq,
    whyNotOpen: () => log.startProblem,
    positions,
    signal,
  });

  const log = openLog(
    {
      ...options,
      positions,
      now: () => options.circumstances().now,
      queues,
      openEvents: path.openEvents,
      commit: path.transactions.commit,
      untilQuiet: () => lanes.untilQuiet().then(path.transactions.commitSettled),
      onOpen: lanes.schedule,
    },
    signal,
  );

  return {
    submit: (request) =>
      new Promise((resolve) => {
        const waiting = room.enter(request, resolve);
        // The store is not asked: an earlier attempt may have done something.
        if (waiting === null) resolve(failedWith(QUEUE_FULL, 'unknown'));
        else place(waiting);
      }),

    status() {
      const isStarting = queues.topic === null;
      const reason = isStarting ? log.startProblem : health.problem;
      const { unsettled } = queues;
      return {
        state: signal.aborted ? 'closing' : isStarting ? 'starting' : reason === null ? 'open' : 'impaired',
        reason,
        waiting: room.size,
        unsettled: unsettled.length,
        oldestUnsettledAt: happenedAt(unsettled),
        dropped: path.refusedEvents.dropped,
        lastAcknowledgedAt: path.sender.lastAcknowledgedAt,
      };
    },

    async close(ms) {
      await untilEmpty(room, ms);
      closing.abort();
      await answerStopping(room, refusals);
      // A stopped broker must not hold this up: the next start reads what this read leaves.
      await Promise.race([log.ended, sleep(READING_MS, undefined, { ref: false })]);
      await path.transactions.settle();
    },
  };
};

const untilEmpty = async (room: { readonly size: number }, ms: number): Promise<void> => {
  const deadline = performance.now() + ms;
  while (room.size > 0 && performance.now() < deadline) await sleep(10);
};

/** Answers all requests, those whose event is not stored by what the store knows of them. */
const answerStopping = async (room: WaitingRoom, refusals: Refusals): Promise<void> => {
  for (const waiting of room) if (!waiting.stored) refusals.refuse(waiting, STOPPING);
  await Promise.race([refusals.idle(), sleep(ASKING_MS, undefined, { ref: false })]);
  for (const waiting of room) room.answer(waiting, failedWith(STOPPING, 'unknown'));
};

/** When the oldest of these events happened, as its headers say. */
const happenedAt = (outbox: readonly OutboxRow[]): number | null => {
  const [first] = outbox;
  if (first === undefined) return null;
  const oldest = outbox.reduce((a, b) => (b.seq < a.seq ? b : a), first);
  const at = Date.parse(oldest.message.headers['ce_time'] ?? '');
  return Number.isNaN(at) ? null : at;
};
