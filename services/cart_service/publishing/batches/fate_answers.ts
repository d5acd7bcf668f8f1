import type { Logger } from 'pino';
import type { Fate, Topic } from '#kafka_common/broker.ts';
import {
  type Failure,
  failedWith,
  notWritten as notWrittenBecause,
  refusedForGood,
  STORE_FAILED,
} from '#cart_service/publishing/waiting/failures.ts';
import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import { DONE, failed, nothingDone } from '#cart_service/requests.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import type { BatchEntry } from './batch_taker.ts';
import { NO_FATE } from './event_sender.ts';
import { isRefusedForGood } from './lane_work.ts';
import type { PlannedEvent } from './plan_batch.ts';
import type { Settlements } from './settlements.ts';
import type { Transactions } from './transactions.ts';

/** A batch that was sent to the broker. */
interface SentBatch {
  readonly topic: Topic;
  readonly queues: readonly PartitionQueue[];
  readonly events: readonly PlannedEvent<BatchEntry>[];
  /** By the index of the event. */
  readonly fates: readonly Fate[];
}

/** Answers each request by the fate of its event. */
export type AnswerByFate = (batch: SentBatch) => Promise<void>;

export const createFateAnswers = (parts: {
  room: WaitingRoom;
  settlements: Settlements;
  transactions: Transactions;
  logger: Logger;
}): AnswerByFate => {
  const { room, settlements, transactions, logger } = parts;

  /** Undoes events that are certainly not written, then answers their requests. */
  const takeBack = async (
    queues: readonly PartitionQueue[],
    events: readonly PlannedEvent<BatchEntry>[],
    failures: ReadonlyMap<PlannedEvent<BatchEntry>, Failure>,
  ): Promise<void> => {
    let takenOver: ReadonlySet<string>;
    try {
      ({ takenOver } = await transactions.commit({ takenBack: events }));
    } catch (error) {
      logger.error(
        { err: error },
        'the store failed to take back events; they stay in the outbox and will be published',
      );
      for (const { entry } of events) room.answer(entry.waiting, failedWith(STORE_FAILED, 'unknown'));
      return;
    }
    removeFrom(queues, new Set(events.map(({ row }) => row)));
    for (const event of events) {
      const { waiting, request } = event.entry;
      const isOpen = room.hasOtherAttempts(waiting) || takenOver.has(request.command.orderId);
      const outcome = isOpen ? 'unknown' : nothingDone(request.command);
      room.answer(waiting, failedWith(failures.get(event) ?? notWrittenBecause(NO_FATE.detail), outcome));
    }
  };

  return async ({ topic, queues, events, fates }) => {
    const failures = new Map<PlannedEvent<BatchEntry>, Failure>();
    const notWritten: PlannedEvent<BatchEntry>[] = [];
    const settled = new Set<OutboxRow>();
    events.forEach((event, index) => {
      const { row, entry } = event;
      const { waiting } = entry;
      const fate = fates[index] ?? NO_FATE;
      if (fate.kind === 'acknowledged') {
        settlements.acknowledged(row, fate, topic, !waiting.answered && !room.isDoubted(waiting));
        settled.add(row);
        room.answer(waiting, DONE);
        return;
      }
      failures.set(event, isRefusedForGood(fate) ? refusedForGood(fate.detail) : notWrittenBecause(fate.detail));
      // A client that was answered `unknown` meanwhile must find its order later: the event stays and is relayed.
      if (fate.kind === 'not_written' && !waiting.answered) notWritten.push(event);
      else {
        const detail = `Kafka did not acknowledge the event: ${fate.detail}`;
        room.answer(waiting, failed('KafkaTimeout', 'unknown', detail));
      }
    });
    removeFrom(queues, settled);
    if (notWritten.length > 0) await takeBack(queues, notWritten, failures);
  };
};

const removeFrom = (queues: readonly PartitionQueue[], rows: ReadonlySet<OutboxRow>): void => {
  for (const queue of queues) queue.settled(rows);
};
