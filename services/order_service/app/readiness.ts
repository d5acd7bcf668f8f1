import { check, type Readiness } from '#service_common/http/health.ts';
import type { RunnerState, RunnerStatus } from '#order_service/consumer_runner.ts';

/** The service always answers reads. Ready means that the answers are up to date. */

const NOT_READY: Readonly<Record<Exclude<RunnerState, 'consuming'>, string>> = {
  starting: 'the consumer has not joined its group yet',
  waiting_for_topic: 'the topic does not exist yet',
  reconnecting: 'the broker cannot be reached; orders are shown as they were before',
};

export const readinessOf = (status: RunnerStatus): Readiness => {
  const { state, storeFailure } = status;
  const reason = whyNotReady(status);
  const notConsuming = state === 'consuming' ? null : reason;
  return {
    ready: reason === null,
    reason,
    ...status,
    checks: [
      check('broker', state === 'starting' || state === 'reconnecting' ? notConsuming : null),
      check('topic', state === 'waiting_for_topic' ? notConsuming : null),
      // Passes without a partition too: there can be more instances than partitions.
      check('assignment', notConsuming),
      check('store', storeFailure),
    ],
  };
};

/** Null if the view follows the topic. */
export const whyNotReady = ({ state, storeFailure }: RunnerStatus): string | null =>
  state === 'consuming' ? storeFailure : NOT_READY[state];
