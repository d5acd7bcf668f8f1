import type { Logger } from 'pino';
import { failedWith, STORE_FAILED } from '#cart_service/publishing/waiting/failures.ts';
import type { WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import type { DecideBatch } from './batch_decider.ts';
import type { BatchTaker, TakenBatch } from './batch_taker.ts';
import type { EventSender } from './event_sender.ts';
import type { AnswerByFate } from './fate_answers.ts';
import { type LaneWork, troubleIn } from './lane_work.ts';

export interface BatchWriterOptions {
  readonly room: WaitingRoom;
  readonly taker: BatchTaker;
  readonly decide: DecideBatch;
  readonly sender: EventSender;
  readonly answerByFate: AnswerByFate;
  readonly logger: Logger;
}

/** Takes the next batch of requests, decides and stores it, publishes its events, and answers by their fates. */
export const createBatchWriter = (options: BatchWriterOptions): LaneWork => {
  const { room, taker, decide, sender, answerByFate, logger } = options;

  const refuse = (batch: TakenBatch, error: unknown): void => {
    logger.error({ err: error }, 'the store failed; the requests of this batch are refused');
    for (const { waiting } of batch.entries) room.answer(waiting, failedWith(STORE_FAILED, 'unknown'));
  };

  return async (topic, queues) => {
    const batch = taker.take(queues);
    if (batch === null) return { taken: queues.every(({ hasRequests }) => !hasRequests), sent: 0, trouble: null };
    try {
      const events = await decide(batch).catch((error: unknown) => {
        refuse(batch, error);
        return [];
      });
      if (events.length === 0) return { taken: true, sent: 0, trouble: null };
      const rows = events.map(({ row }) => row);
      const requests = events.map(({ entry }) => entry.request);
      const fates = await sender.send(topic, rows, requests);
      await answerByFate({ topic, queues, events, fates });
      return { taken: true, sent: rows.length, trouble: troubleIn(fates) };
    } finally {
      taker.release(batch);
    }
  };
};
