import { setTimeout as sleep } from 'node:timers/promises';
import type { Query } from './statements.ts';

/** What names a transaction: its number, which another server history can give again, and the history. */
export interface TransactionId {
  readonly xid: string;
  /** PostgreSQL's timeline: another one after each failover. */
  readonly timeline: string;
}

/** Asked inside a transaction, these give its name. */
const TIMELINE = 'substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)';
export const TRANSACTION_ID = `SELECT pg_current_xact_id()::text AS xid, ${TIMELINE} AS timeline`;

const FATE = `SELECT pg_xact_status($1::xid8) AS status, ${TIMELINE} AS timeline`;
const ASK_AGAIN_MS = 50;

export type Fate = 'committed' | 'aborted' | 'unknown';

/**
 * Asks the server what became of a transaction whose COMMIT was not answered. The session that was cut off can still be
 * at work, so it is asked until that has ended. Never cancels anything.
 * @param ask runs one statement on another connection
 * @param withinMs how long it may take, in ms
 */
export const fateOf = async ({ xid, timeline }: TransactionId, ask: Query, withinMs: number): Promise<Fate> => {
  const deadline = performance.now() + withinMs;
  do {
    try {
      const [row] = await ask(FATE, [xid]);
      // After a failover, the same number can be another transaction's.
      if (row?.['timeline'] !== timeline) return 'unknown';
      const { status } = row;
      if (status === 'committed' || status === 'aborted') return status;
      if (status === null) return 'unknown';
    } catch {
      // It cannot be reached yet.
    }
    await sleep(ASK_AGAIN_MS);
  } while (performance.now() < deadline);
  return 'unknown';
};
