/** Commits one abuse in a process of its own, so that it takes no time from the good clients that are timed meanwhile. */
import { ABUSES, commit } from './http_abuses.ts';

export interface AbuserOrders {
  /** In `ABUSES`. */
  readonly index: number;
  readonly port: number;
  readonly withinMs: number;
}

process.once('disconnect', () => process.exit());
const { index, port, withinMs } = JSON.parse(process.argv[2] ?? '') as AbuserOrders;
const abuse = ABUSES[index];
if (abuse === undefined) throw new Error(`there is no abuse ${index}`);
const ends = await commit(abuse, port, withinMs);
process.send?.(ends, () => process.exit());
