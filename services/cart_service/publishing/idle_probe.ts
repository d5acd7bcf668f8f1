import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '#service_common/reason_of.ts';
import type { Lanes } from './lanes.ts';
import type { LeaderHealth } from './leader_health.ts';

export interface IdleProbeOptions {
  /** The leaders of the topic's partitions; none unless the topic is open. */
  readonly leaders: () => ReadonlySet<number>;
  readonly lanes: Pick<Lanes, 'isBusy' | 'takeDown'>;
  readonly health: Pick<LeaderHealth, 'whyDown' | 'lastSuccess'>;
  /** Resolves if the leader answers. */
  readonly probe: (leader: number) => Promise<void>;
}

const INTERVAL_MS = 1_000;
/** One answer that does not come is no outage yet. */
const FAILURES = 2;

/**
 * Probes leaders that nobody writes to, one at a time. So a service that gets no requests notices within a few seconds that
 * Kafka is down, and its readiness says so. Runs until the signal aborts.
 */
export const probeIdleLeaders = async (options: IdleProbeOptions, signal: AbortSignal): Promise<void> => {
  const { lanes, health, probe } = options;
  const failures = new Map<number, number>();

  const isIdle = (leader: number): boolean =>
    health.whyDown(leader) === undefined &&
    !lanes.isBusy(leader) &&
    performance.now() - health.lastSuccess(leader) >= INTERVAL_MS;

  const probeOnce = async (leader: number): Promise<void> => {
    try {
      await probe(leader);
      failures.delete(leader);
    } catch (error) {
      const count = (failures.get(leader) ?? 0) + 1;
      failures.set(leader, count);
      if (count < FAILURES || !isIdle(leader) || signal.aborted) return;
      failures.delete(leader);
      lanes.takeDown(leader, reasonOf(error));
    }
  };

  while (!signal.aborted) {
    await sleep(INTERVAL_MS, undefined, { signal, ref: false }).catch(() => {});
    for (const leader of options.leaders()) {
      if (signal.aborted) return;
      if (isIdle(leader)) await probeOnce(leader);
      else failures.delete(leader);
    }
  }
};
