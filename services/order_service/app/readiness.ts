import { check, type Readiness } from '#service_common/http/health.ts';
import { type RunnerStatus, whyNotReady } from '#order_service/consuming/runner_status.ts';

/** The service always answers reads. Ready means that the answers are up to date. */

export const readinessOf = (status: RunnerStatus, warnings: readonly string[]): Readiness => {
  const { state, reason: notConsuming, storeFailure } = status;
  const reason = whyNotReady(status);
  return {
    ...status,
    ready: reason === null,
    reason,
    warnings,
    checks: [
      check('broker', state === 'starting' || state === 'reconnecting' ? notConsuming : null),
      check('topic', state === 'waiting_for_topic' ? notConsuming : null),
      // Passes without a partition too: there can be more instances than partitions.
      check('assignment', notConsuming),
      check('store', storeFailure),
    ],
  };
};
