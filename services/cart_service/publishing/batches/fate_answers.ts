import type { Logger } from 'pino';
import type { Fate, Topic } from '#kafka_common/broker.ts';
import { failedWith, STORE_FAILED } from '#cart_service/publishing/waiting/failures.ts';
import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import { DONE, failed, nothingDone } from '#cart_service/requests.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import type { BatchEntry } from './batch_taker.ts';
import { NO_FATE } from './event_sender.ts';
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

/** Answers each request by the fate of its event. @returns what is wrong with the broker; null if nothing is */
export type AnswerByFate = (batch: SentBatch) => Promise<string | null>;

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
    reason: string,
  ): Promise<void> => {
    const takenBack = events.map(({ row, state, previous, entry }) => ({
      seq: row.seq,
      state,
      previous,
      idempotencyKey: entry.request.idempotencyKey,
    }));
    try {
      await transactions.commit({ takenBack });
    } catch (error) {
      logger.error(
        { err: error },
        'the store failed to take back events; they stay in the outbox and will be published',
      );
      for (const { entry } of events) room.answer(entry.waiting, failedWith(STORE_FAILED, 'unknown'));
      return;
    }
    removeFrom(queues, new Set(events.map(({ row }) => row)));
    for (const { entry } of events) {
      const outcome = room.hasOtherAttempts(entry.waiting) ? 'unknown' : nothingDone(entry.request.command);
      room.answer(entry.waiting, failed('KafkaBrokersUnavailable', outcome, `the event was not written: ${reason}`));
    }
  };

  return async ({ topic, queues, events, fates }) => {
    let problem: string | null = null;
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
      problem ??= fate.detail;
      // A client that was answered `unknown` meanwhile must find its order later: the event stays and is relayed.
      if (fate.kind === 'not_written' && !waiting.answered) notWritten.push(event);
      else {
        const detail = `Kafka did not acknowledge the event: ${fate.detail}`;
        room.answer(waiting, failed('KafkaTimeout', 'unknown', detail));
      }
    });
    removeFrom(queues, settled);
    if (notWritten.length > 0) await takeBack(queues, notWritten, problem ?? NO_FATE.detail);
    return problem;
  };
};

const removeFrom = (queues: readonly PartitionQueue[], rows: ReadonlySet<OutboxRow>): void => {
  for (const queue of queues) queue.settled(rows);
};
