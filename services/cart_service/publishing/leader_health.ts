import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Which partition leaders take events now. One that failed is left alone until a probe finds it back. */
export interface LeaderHealth {
  /** Why a leader is down, or undefined where it is not known to be. */
  whyDown(leader: number): string | undefined;
  succeeded(leader: number): void;
  failed(leader: number, reason: string): void;
  /** Why the first of those that are down is, or null where none is. */
  readonly problem: string | null;
}

const BACKOFF_FIRST_MS = 100;
const BACKOFF_LAST_MS = 1_000;

/** 100 ms before the first try, doubled up to a second. */
export const backoffMs = (attempt: number): number =>
  Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt - 1, 10));

export const createLeaderHealth = (options: {
  /** Resolves where the leader answers. */
  probe: (leader: number) => Promise<void>;
  onBack: () => void;
  logger: Logger;
  signal: AbortSignal;
}): LeaderHealth => {
  const down = new Map<number, string>();
  /** In a row: a leader that answers probes but takes nothing is tried ever less often. */
  const failures = new Map<number, number>();

  const watch = async (leader: number): Promise<void> => {
    for (let attempt = failures.get(leader) ?? 1; !options.signal.aborted; attempt++) {
      await sleep(backoffMs(attempt), undefined, { signal: options.signal }).catch(() => {});
      const answers = await options.probe(leader).then(
        () => true,
        () => false,
      );
      if (!answers) continue;
      down.delete(leader);
      options.logger.info({ leader }, 'Kafka answers again');
      options.onBack();
      return;
    }
  };

  return {
    whyDown: (leader) => down.get(leader),
    succeeded(leader) {
      failures.delete(leader);
    },
    failed(leader, reason) {
      if (down.has(leader)) return;
      failures.set(leader, (failures.get(leader) ?? 0) + 1);
      down.set(leader, reason);
      options.logger.warn(
        { leader, reason },
        'Kafka does not take events; requests are refused until it answers again',
      );
      void watch(leader);
    },
    get problem() {
      return down.values().next().value ?? null;
    },
  };
};
