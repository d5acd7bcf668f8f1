/** Commits one abuse in its own process, so that it does not slow down the good clients, whose times are measured. */
import { ABUSES, commit } from './http_abuses.ts';

export interface AbuserJob {
  /** The index in `ABUSES`. */
  readonly index: number;
  readonly port: number;
  readonly withinMs: number;
}

process.once('disconnect', () => process.exit());
const { index, port, withinMs } = JSON.parse(process.argv[2] ?? '') as AbuserJob;
const abuse = ABUSES[index];
if (abuse === undefined) throw new Error(`ABUSES has no entry ${index}`);
const ends = await commit(abuse, port, withinMs);
process.send?.(ends, () => process.exit());
