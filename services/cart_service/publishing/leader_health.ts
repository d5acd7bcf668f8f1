import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backoffMs } from '#cart_service/backoff.ts';

/** Which partition leaders take events now. A leader that failed gets no events until it answers a probe. */
export interface LeaderHealth {
  /** Why a leader is down; undefined if it is not known to be down. */
  whyDown(leader: number): string | undefined;
  succeeded(leader: number): void;
  /** When the leader last took events, on the clock of `performance.now()`; -Infinity if it has not yet. */
  lastSuccess(leader: number): number;
  /** @param onBack called once the leader answers a probe */
  failed(leader: number, reason: string, onBack: () => void): void;
  /** The reason of one leader that is down; null if none is. */
  readonly problem: string | null;
}

export const createLeaderHealth = (options: {
  /** Resolves if the leader answers. */
  probe: (leader: number) => Promise<void>;
  logger: Logger;
  /** Ends the probes. */
  signal: AbortSignal;
}): LeaderHealth => {
  const { probe, logger, signal } = options;
  const down = new Map<number, string>();
  /** Failures in a row. A leader that answers probes but takes no events is tried less and less often. */
  const failures = new Map<number, number>();
  const successes = new Map<number, number>();

  const probeUntilBack = async (leader: number, onBack: () => void): Promise<void> => {
    for (let attempt = failures.get(leader) ?? 1; !signal.aborted; attempt++) {
      await sleep(backoffMs(attempt), undefined, { signal }).catch(() => {});
      const answers = await probe(leader).then(
        () => true,
        () => false,
      );
      if (!answers) continue;
      down.delete(leader);
      logger.info({ leader }, 'Kafka answers again');
      onBack();
      return;
    }
  };

  return {
    whyDown: (leader) => down.get(leader),
    succeeded(leader) {
      failures.delete(leader);
      successes.set(leader, performance.now());
    },
    lastSuccess: (leader) => successes.get(leader) ?? -Infinity,
    failed(leader, reason, onBack) {
      if (down.has(leader)) return;
      failures.set(leader, (failures.get(leader) ?? 0) + 1);
      down.set(leader, reason);
      logger.warn({ leader, reason }, 'Kafka does not take events; requests are refused until it answers again');
      void probeUntilBack(leader, onBack);
    },
    get problem() {
      return down.values().next().value ?? null;
    },
  };
};
