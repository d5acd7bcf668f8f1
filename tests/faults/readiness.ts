import type { Service } from './fault.ts';

/** What a service tells of itself at `/health/ready`, whether it is ready or not. */
export interface Readiness {
  /** Of the Order Service: the partitions it owns. */
  readonly assigned: readonly number[];
  readonly positionsLost: number;
  readonly keyMismatches: number;
  /** Why its store took no transaction the last time, or null. */
  readonly storeFailure: string | null;
}

/** On a busy machine. */
const ANSWERED_MS = 10_000;

export const readinessOf = async ({ url }: Service): Promise<Readiness> => {
  const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(ANSWERED_MS) });
  return (await response.json()) as Readiness;
};
