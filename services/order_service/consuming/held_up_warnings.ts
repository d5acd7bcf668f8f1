import type { RunnerStatus } from './runner_status.ts';

/** A transaction in good order ends sooner. */
const HELD_UP_MS = 5_000;

/** What to say about partitions that an open transaction has held up for some seconds. @param now milliseconds since 1970 */
export const heldUpWarnings = (
  { heldUp, positions, lag }: Pick<RunnerStatus, 'heldUp' | 'positions' | 'lag'>,
  now: number,
): string[] =>
  Object.entries(heldUp)
    .filter(([, since]) => now - Date.parse(since) >= HELD_UP_MS)
    .map(
      ([partition, since]) =>
        `an open transaction of another producer holds up partition ${partition} at offset ${positions[Number(partition)] ?? 0} ` +
        `since ${since}; the ${lag[Number(partition)] ?? 0} records from there on cannot be read until it commits or aborts`,
    );
