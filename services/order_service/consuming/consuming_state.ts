import type { Logger } from 'pino';
import { BrokerError } from '#kafka_common/broker.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { ConsumingStatus, RunnerState } from './runner_status.ts';

/** Milliseconds to wait between two attempts. */
export interface RetryDelays {
  readonly topicMissing: number;
  /** After the given number of changes of the topic without consuming in between. */
  readonly topicChanged: (attempt: number) => number;
  /** Before the given attempt, counted from 1, to consume again after the connection was lost. */
  readonly reconnect: (attempt: number) => number;
  readonly fenced: number;
  /** After the given number of failures of the store in a row. */
  readonly store: (failures: number) => number;
}

export const DELAYS: RetryDelays = {
  topicMissing: 500,
  topicChanged: (attempt) => (attempt === 1 ? 0 : 500),
  reconnect: (attempt) => (attempt <= 5 ? 2_000 : Math.min(2_000 * 2 ** (attempt - 5), 5_000)),
  fenced: 10_000,
  store: (failures) => Math.min(100 * 2 ** (failures - 1), 5_000),
};

/** Whether the runner consumes; if not, why, and when to try again. */
export interface ConsumingState {
  assigned(partitions: readonly number[]): void;
  /** Logs why consuming ended. @returns milliseconds to wait before the next attempt */
  ended(error: unknown): number;
  /** The topic is not the one that the view has read before. */
  topicMadeAgain(): void;
  readonly status: ConsumingStatus;
}

export interface ConsumingStateOptions {
  readonly topic: string;
  readonly group: string;
  readonly memberId: string;
  readonly logger: Logger;
  readonly delays: RetryDelays;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export const createConsumingState = (options: ConsumingStateOptions): ConsumingState => {
  const { topic, group, memberId, logger, delays, now } = options;
  let status: ConsumingStatus = { state: 'starting', attempt: 0, assigned: [], reason: STARTING, topicChange: null };
  let hasConsumed = false;

  const setNotConsuming = (state: RunnerState, attempt: number, reason: string): void => {
    status = { ...status, state, attempt, assigned: [], reason };
  };

  const topicChanged = (what: string): void => {
    status = { ...status, topicChange: { at: new Date(now()).toISOString(), what } };
  };

  const waitForTopic = (): number => {
    if (status.state !== 'waiting_for_topic') {
      if (hasConsumed) {
        topicChanged(DELETED);
        logger.error({ topic }, DELETED);
      } else logger.info({ topic }, 'the topic does not exist yet, waiting for it');
      setNotConsuming('waiting_for_topic', 0, hasConsumed ? DELETED : 'the topic does not exist yet');
    }
    return delays.topicMissing;
  };

  return {
    assigned(partitions) {
      hasConsumed = true;
      status = { ...status, state: 'consuming', attempt: 0, assigned: partitions, reason: null };
      logger.info({ topic, group, memberId, partitions }, 'consuming');
    },

    ended(error) {
      const code = error instanceof BrokerError || error instanceof StoreError ? error.code : null;
      const reason = reasonOf(error);
      if (code === 'TOPIC_MISSING') return waitForTopic();
      const attempt = status.attempt + 1;
      const retryAfter = (delayMs: number, why: string, level: 'warn' | 'error', details: object): number => {
        setNotConsuming('reconnecting', attempt, why);
        logger[level](details, why);
        return delayMs;
      };
      switch (code) {
        case 'STORE_OVERTAKEN':
          return retryAfter(delays.store(1), OVERTAKEN, 'warn', { group, memberId, reason });
        case 'TOPIC_CHANGED':
          topicChanged(reason);
          return retryAfter(delays.topicChanged(attempt), CHANGED, 'warn', { topic, reason });
        case 'FENCED':
          return retryAfter(delays.fenced, FENCED, 'error', { group, memberId, delayMs: delays.fenced });
        default:
      }
      const delayMs = delays.reconnect(attempt);
      if (code === 'DENIED') return retryAfter(delayMs, `${DENIED}: ${reason}`, 'error', { attempt, delayMs });
      if (code === 'UNAVAILABLE') return retryAfter(delayMs, UNAVAILABLE, 'warn', { attempt, delayMs, reason });
      return retryAfter(delayMs, FAILED, 'error', { attempt, delayMs, err: error });
    },

    topicMadeAgain: () => topicChanged('the topic was deleted and made again; the new one is read from its start'),

    get status() {
      return status;
    },
  };
};

const OVERTAKEN = 'another process has moved the view on; going on from its present position';

const FENCED = 'another process has joined the group under the same member id; give each its own by CONSUMER_MEMBER_ID';

const UNAVAILABLE = 'the broker cannot be reached, trying again';

const DENIED = 'the broker refuses this service, trying again';

const FAILED = 'consuming failed, trying again';

const STARTING = 'the consumer has not joined its group yet';

const CHANGED = 'the topic has changed, beginning again';

const DELETED = 'the topic was deleted; consuming begins again once it exists again';
