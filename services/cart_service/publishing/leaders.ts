import type { Broker } from '#kafka_common/broker.ts';
import { probeIdleLeaders } from './idle_probe.ts';
import { createLanes, type Lanes, type LanesOptions } from './lanes.ts';
import { createLeaderHealth, type LeaderHealth } from './leader_health.ts';

export interface LeadersOptions extends Omit<LanesOptions, 'health' | 'leaderOf'> {
  readonly broker: Pick<Broker, 'probe' | 'leaderOf'>;
  readonly topic: string;
}

const PROBE_TIMEOUT_MS = 1_000;

/** The partition leaders: a lane of batches for each, and whether it takes events. One without events is probed. */
export const createLeaders = (
  options: LeadersOptions,
): { health: LeaderHealth; lanes: Lanes; leaderOf: (partition: number) => number } => {
  const { broker, topic, queues, logger, signal } = options;
  const probe = (leader: number): Promise<void> => broker.probe(topic, leader, PROBE_TIMEOUT_MS);
  const leaderOf = (partition: number): number => broker.leaderOf(topic, partition);
  const health = createLeaderHealth({ probe, logger, signal });
  const lanes = createLanes({ ...options, health, leaderOf });
  const leaders = (): ReadonlySet<number> =>
    new Set(queues.topic === null ? [] : queues.all.map(({ partition }) => leaderOf(partition)));
  void probeIdleLeaders({ leaders, lanes, health, probe }, signal);
  return { health, lanes, leaderOf };
};
