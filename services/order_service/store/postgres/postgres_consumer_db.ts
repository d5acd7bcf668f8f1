import { fileURLToPath } from 'node:url';
import { type Database, openDatabase } from '#service_common/postgres/database.ts';
import type { DatabaseAddress } from '#service_common/postgres/database_address.ts';
import { migrate } from '#service_common/postgres/migrations.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { createViewQueries } from './view_queries.ts';
import { createViewWriter } from './view_writer.ts';

/** The tables of the Order Service. */
export const VIEW_TABLES = {
  schema: 'order_service',
  folder: fileURLToPath(new URL('migrations', import.meta.url)),
} as const;

/** Reads have connections of their own, so that applying never waits behind them. */
const CONNECTIONS = { reads: 8, writes: 2 } as const;
/** A transaction of 500 events takes some 50 ms. */
const DEADLINE_MS = 10_000;

/**
 * Opens the view in a database, and brings its tables up to date first.
 * @throws StoreError `STORE_UNAVAILABLE`; `STORE_REFUSED` if the database belongs to a newer program
 */
export const openPostgresConsumerDb = async (address: DatabaseAddress): Promise<ConsumerDb> => {
  const open = (connections: number): Database =>
    openDatabase({ address, applicationName: 'order-service', connections, deadlineMs: DEADLINE_MS });
  const writes = open(CONNECTIONS.writes);
  const reads = open(CONNECTIONS.reads);
  const close = async (): Promise<void> => {
    await Promise.all([writes.close(), reads.close()]);
  };
  try {
    await migrate(writes, VIEW_TABLES);
    const [row] = await writes.query('SELECT view_id FROM order_service.identity');
    return { ...createViewWriter(writes), ...createViewQueries(reads, String(row?.['view_id'])), close };
  } catch (error) {
    await close();
    throw error;
  }
};
