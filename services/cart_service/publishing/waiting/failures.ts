import { type Answer, type CommandRequest, failed, nothingDone, type Outcome } from '#cart_service/requests.ts';
import type { Waiting } from './waiting_room.ts';

/** The answers to requests that end before the fate of an event decides about them. */
export interface Failures {
  /** Kafka, or the leader that would have to take the event, is away. */
  unavailable(request: CommandRequest, reason: string): Answer;
  queueFull(request: CommandRequest): Answer;
  deadlinePassed(waiting: Waiting): Answer;
  /** @param stored whether an event of the request may be in the store */
  stopping(request: CommandRequest, stored: boolean): Answer;
}

/** @param isUnsettled whether the outbox holds an event of this order */
export const createFailures = (options: {
  isUnsettled: (orderId: string) => boolean;
  requestDeadlineMs: number;
}): Failures => {
  // While an event of the order is unsettled, "nothing was done" could prove wrong.
  const outcomeOf = ({ command }: CommandRequest, stored: boolean): Outcome =>
    stored || options.isUnsettled(command.orderId) ? 'unknown' : nothingDone(command);

  return {
    unavailable: (request, reason) =>
      failed('KafkaBrokersUnavailable', outcomeOf(request, false), `Kafka does not take events now: ${reason}`),
    queueFull: (request) => failed('ProducerQueueFull', outcomeOf(request, false), 'too many requests wait already'),
    deadlinePassed: ({ request, stored }) =>
      failed(
        'KafkaTimeout',
        outcomeOf(request, stored),
        `Kafka did not acknowledge within ${options.requestDeadlineMs} ms`,
      ),
    stopping: (request, stored) =>
      failed('ServiceStopping', outcomeOf(request, stored), 'the Cart Service is stopping'),
  };
};

export const storeFailed = (outcome: Outcome): Answer =>
  failed('StoreUnavailable', outcome, 'the store of the Cart Service failed; its log has the cause');
