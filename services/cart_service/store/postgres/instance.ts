import type { Database } from '#service_common/postgres/database.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import type { Logger } from 'pino';

/** This process among all that work on one database. Others take over its events if it is not seen for `LEASE_MS`. */
export interface Instance {
  /** No other process ever has the same. */
  readonly number: number;
  /** Ends it: its events belong to the first instance that looks for them. Never rejects. */
  leave(): Promise<void>;
}

/** By the clock of the database. */
export const LEASE_MS = 3_000;
const BEAT_MS = 500;
/** A process that is away for longer has its number given up for good. */
const FORGOTTEN = '1 hour';

const ENTER = 'INSERT INTO cart_service.instances DEFAULT VALUES RETURNING instance';
const BEAT = `
  INSERT INTO cart_service.instances (instance) OVERRIDING SYSTEM VALUE VALUES ($1)
  ON CONFLICT (instance) DO UPDATE SET seen_at = clock_timestamp()`;
const FORGET = `DELETE FROM cart_service.instances WHERE seen_at < clock_timestamp() - interval '${FORGOTTEN}'`;

/** @throws StoreError */
export const enter = async (database: Database, logger: Logger): Promise<Instance> => {
  const [row] = await database.transaction(async (query) => {
    await query(FORGET);
    return query(ENTER);
  });
  const number = Number(row?.['instance']);
  let problem: string | null = null;
  let beating: Promise<unknown> = Promise.resolve();
  const beat = async (): Promise<void> => {
    try {
      await database.query(BEAT, [number]);
      problem = null;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== problem) logger.warn({ reason }, 'the database does not hear from this instance');
      problem = reason;
    }
  };
  const timer = setInterval(() => {
    beating = beat();
  }, BEAT_MS).unref();

  return {
    number,
    async leave() {
      clearInterval(timer);
      await beating;
      await database
        .transaction((query) =>
          Promise.all([
            query('UPDATE cart_service.outbox SET instance = 0, taken_over = true WHERE instance = $1', [number]),
            query('DELETE FROM cart_service.instances WHERE instance = $1', [number]),
          ]),
        )
        .catch((error: unknown) =>
          logger.warn({ reason: reasonOf(error) }, 'the database was not told that this instance ends'),
        );
    },
  };
};
