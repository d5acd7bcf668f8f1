import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker } from '#kafka_common/broker.ts';
import { createLogPositions } from '#cart_service/log/log_positions.ts';
import { openLog } from '#cart_service/log/open_log.ts';
import type { PublishObserver } from '#cart_service/publishing/batches/event_sender.ts';
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

/** How long stopping waits for a read of the log that is under way. */
const READING_MS = 500;

export const createPublisher = async (options: PublisherOptions): Promise<Publisher> => {
  const { broker, store, topic, partitions, logger } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const positions = createLogPositions();
  const outbox = await store.outbox();
  const { queues, room, failures, health, lanes, ...path } = createWritePath({ ...options, outbox, positions, signal });

  const log = openLog(
    {
      broker,
      store,
      positions,
      topic,
      partitions,
      onOpen(opened, left) {
        queues.open(opened, left);
        lanes.schedule();
      },
      logger,
    },
    signal,
  );

  return {
    submit(request) {
      if (signal.aborted) return Promise.resolve(failures.stopping(request, false));
      const queue = queues.queueOf(request.command.orderId);
      if (queue === undefined) return Promise.resolve(failures.unavailable(request, log.startProblem));
      const reason = health.whyDown(broker.leaderOf(topic, queue.partition));
      if (reason !== undefined) return Promise.resolve(failures.unavailable(request, reason));
      return new Promise((resolve) => {
        const waiting = room.enter(request, resolve);
        if (waiting === null) resolve(failures.queueFull(request));
        else queue.enqueue(waiting);
        lanes.schedule();
      });
    },

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
        lastAcknowledgedAt: path.sender.lastAcknowledgedAt,
      };
    },

    async close(ms) {
      const deadline = performance.now() + ms;
      while (room.size > 0 && performance.now() < deadline) await sleep(10);
      closing.abort();
      for (const waiting of room) room.answer(waiting, failures.stopping(waiting.request, waiting.stored));
      // A stopped broker must not hold this up: the next start reads what this read leaves.
      await Promise.race([log.ended, sleep(READING_MS, undefined, { ref: false })]);
      await path.transactions.settle();
    },
  };
};

/** When the oldest of these events happened, as its headers say. */
const happenedAt = (outbox: readonly OutboxRow[]): number | null => {
  const [first] = outbox;
  if (first === undefined) return null;
  const oldest = outbox.reduce((a, b) => (b.seq < a.seq ? b : a), first);
  const at = Date.parse(oldest.message.headers['ce_time'] ?? '');
  return Number.isNaN(at) ? null : at;
};
