import type { Service } from './fault.ts';

/** The answer of `/health/ready`, whether the service is ready or not. */
export interface Readiness {
  /** The partitions that the Order Service owns. */
  readonly assigned: readonly number[];
  /** Records not applied yet, by partition. */
  readonly lag: Readonly<Record<string, number>>;
  readonly positionsLost: number;
  readonly keyMismatches: number;
  /** Why the last transaction of its store failed, or null. */
  readonly storeFailure: string | null;
}

/** Long, for a busy machine. */
const ANSWERED_MS = 10_000;

export const readinessOf = async ({ url }: Service): Promise<Readiness> => {
  const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(ANSWERED_MS) });
  return (await response.json()) as Readiness;
};
