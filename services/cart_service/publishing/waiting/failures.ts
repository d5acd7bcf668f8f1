import type { ErrorCode } from '#service_common/errors.ts';
import { type Answer, failed, type Outcome } from '#cart_service/requests.ts';

/** Why an attempt ends before the fate of an event decides about it. The attempt itself did nothing. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Kafka, or the leader that would have to take the event, is away. */
export const unavailable = (reason: string): Failure => ({
  code: 'KafkaBrokersUnavailable',
  detail: `Kafka does not take events now: ${reason}`,
});

/** Kafka has refused the event. */
export const notWritten = (reason: string): Failure => ({
  code: 'KafkaBrokersUnavailable',
  detail: `the event was not written: ${reason}`,
});

/** Kafka refuses the event for what it is, for example its size. */
export const refusedForGood = (reason: string): Failure => ({
  code: 'KafkaBrokersUnavailable',
  detail: `Kafka refuses this event, and sending it again is of no use: ${reason}`,
});

export const QUEUE_FULL: Failure = { code: 'ProducerQueueFull', detail: 'too many requests wait already' };

export const TURN_TOO_LATE: Failure = { code: 'KafkaTimeout', detail: 'it waited too long for its turn' };

export const STOPPING: Failure = { code: 'ServiceStopping', detail: 'the Cart Service is stopping' };

export const STORE_FAILED: Failure = {
  code: 'StoreUnavailable',
  detail: 'the store of the Cart Service failed; its log has the cause',
};

export const notAcknowledgedWithin = (ms: number): Failure => ({
  code: 'KafkaTimeout',
  detail: `Kafka did not acknowledge within ${ms} ms`,
});

export const failedWith = ({ code, detail }: Failure, outcome: Outcome): Answer => failed(code, outcome, detail);
