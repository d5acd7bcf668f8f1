import type { Logger } from 'pino';
import { BrokerError } from '#kafka_common/broker.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { ConsumingStatus, RunnerState } from './runner_status.ts';

/** Milliseconds to wait between two attempts. */
export interface RetryDelays {
  readonly topicMissing: number;
  /** Before the given attempt, counted from 1, to consume again after the connection was lost. */
  readonly reconnect: (attempt: number) => number;
  readonly fenced: number;
  /** After the given number of failures of the store in a row. */
  readonly store: (failures: number) => number;
}

export const DELAYS: RetryDelays = {
  topicMissing: 500,
  reconnect: (attempt) => (attempt <= 5 ? 2_000 : Math.min(2_000 * 2 ** (attempt - 5), 5_000)),
  fenced: 10_000,
  store: (failures) => Math.min(100 * 2 ** (failures - 1), 5_000),
};

/** Whether the runner consumes; if not, why, and when to try again. */
export interface ConsumingState {
  assigned(partitions: readonly number[]): void;
  /** Logs why consuming ended. @returns milliseconds to wait before the next attempt */
  ended(error: unknown): number;
  readonly status: ConsumingStatus;
}

export interface ConsumingStateOptions {
  readonly topic: string;
  readonly group: string;
  readonly memberId: string;
  readonly logger: Logger;
  readonly delays: RetryDelays;
}

export const createConsumingState = (options: ConsumingStateOptions): ConsumingState => {
  const { topic, group, memberId, logger, delays } = options;
  let status: ConsumingStatus = { state: 'starting', attempt: 0, assigned: [] };

  const setNotConsuming = (state: RunnerState, attempt: number): void => {
    status = { state, attempt, assigned: [] };
  };

  return {
    assigned(partitions) {
      status = { state: 'consuming', attempt: 0, assigned: partitions };
      logger.info({ topic, group, memberId, partitions }, 'consuming');
    },

    ended(error) {
      const code = error instanceof BrokerError || error instanceof StoreError ? error.code : null;
      const reason = reasonOf(error);
      if (code === 'TOPIC_MISSING') {
        if (status.state !== 'waiting_for_topic')
          logger.info({ topic }, 'the topic does not exist yet, waiting for it');
        setNotConsuming('waiting_for_topic', 0);
        return delays.topicMissing;
      }
      const attempt = status.attempt + 1;
      setNotConsuming('reconnecting', attempt);
      switch (code) {
        case 'STORE_OVERTAKEN':
          logger.warn({ group, memberId, reason }, OVERTAKEN);
          return delays.store(1);
        case 'TOPIC_CHANGED':
          logger.warn({ topic, reason }, 'the topic has changed, beginning again');
          return 0;
        case 'FENCED':
          logger.error({ group, memberId, delayMs: delays.fenced }, FENCED);
          return delays.fenced;
        default:
      }
      const delayMs = delays.reconnect(attempt);
      if (code === 'UNAVAILABLE') logger.warn({ attempt, delayMs, reason }, UNAVAILABLE);
      else logger.error({ attempt, delayMs, err: error }, 'consuming failed, trying again');
      return delayMs;
    },

    get status() {
      return status;
    },
  };
};

const OVERTAKEN = 'another process has moved the view on; going on from its present position';

const FENCED = 'another process has joined the group under the same member id; give each its own by CONSUMER_MEMBER_ID';

const UNAVAILABLE = 'the broker cannot be reached, trying again';
