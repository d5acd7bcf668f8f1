import { fileURLToPath } from 'node:url';
import { type Database, openDatabase } from '#service_common/postgres/database.ts';
import type { DatabaseAddress } from '#service_common/postgres/database_address.ts';
import { migrate } from '#service_common/postgres/migrations.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { createViewQueries } from './view_queries.ts';
import { createViewWriter } from './view_writer.ts';

/** The tables of the Order Service. */
const VIEW_TABLES = {
  schema: 'order_service',
  folder: fileURLToPath(new URL('migrations', import.meta.url)),
} as const;

interface OpenStore {
  readonly db: ConsumerDb;
  /** One for all instances. */
  readonly redriveKey: Buffer;
}

const IDENTITY = 'SELECT view_id, key FROM order_service.identity, order_service.redrive_key';

/** Reads have connections of their own, so that applying never waits behind them. */
const CONNECTIONS = { reads: 8, writes: 2 } as const;
/** A transaction of 500 events takes some 50 ms. */
const DEADLINE_MS = 10_000;

/**
 * Opens the view in a database, and brings its tables up to date first.
 * @throws StoreError `STORE_UNAVAILABLE`; `STORE_REFUSED` if the database belongs to a newer program
 */
export const openPostgresStore = async (address: DatabaseAddress): Promise<OpenStore> => {
  const open = (connections: number): Database =>
    openDatabase({ address, applicationName: 'order-service', connections, deadlineMs: DEADLINE_MS });
  const writes = open(CONNECTIONS.writes);
  const reads = open(CONNECTIONS.reads);
  const close = async (): Promise<void> => {
    await Promise.all([writes.close(), reads.close()]);
  };
  try {
    await migrate(writes, VIEW_TABLES);
    const [row] = await writes.query(IDENTITY);
    const queries = createViewQueries(reads, String(row?.['view_id']));
    return { db: { ...createViewWriter(writes), ...queries, close }, redriveKey: row?.['key'] as Buffer };
  } catch (error) {
    await close();
    throw error;
  }
};
