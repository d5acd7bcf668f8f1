import type { Logger } from 'pino';
import type { Config } from '#kafka_common/config.ts';
import { untilReachable } from '#service_common/postgres/until_reachable.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { openRedriveKey as openKeyFile } from './redrive_key.ts';
import type { ViewRebuild } from './view_rebuild.ts';

/** The stores that can stand behind the seams: PostgreSQL if the settings name a database, else SQLite in the data folder. */

/** What a running service keeps. */
export interface OrderStore {
  readonly db: ConsumerDb;
  /** The key by which the service recognizes what it has redriven. */
  readonly redriveKey: Buffer;
}

/** Opens the store of a running service. Waits for a database that cannot be reached. @throws StoreError `STORE_REFUSED` */
export const openOrderStore = async ({ database, dataDir }: Config, logger: Logger): Promise<OrderStore> => {
  if (database !== null) {
    const { openPostgresStore } = await import('./postgres/postgres_consumer_db.ts');
    return untilReachable(() => openPostgresStore(database), logger);
  }
  const { openSqliteView } = await import('./sqlite/sqlite_view.ts');
  const db = openSqliteView({ directory: dataDir, logger });
  return { db, redriveKey: openKeyFile(dataDir) };
};

/** Begins a rebuild of the view; null if another one is under way. @throws StoreError `STORE_REFUSED` */
export const openViewRebuild = async ({ database, dataDir }: Config): Promise<ViewRebuild | null> => {
  if (database !== null) throw new StoreError('STORE_REFUSED', NO_REBUILD);
  const { openSqliteViewRebuild } = await import('./sqlite/sqlite_view_rebuild.ts');
  return openSqliteViewRebuild(dataDir);
};

const NO_REBUILD =
  'DATABASE_URL is set, and rebuild works on SQLite views only. To build the view in PostgreSQL again, stop all Order ' +
  'Services, run TRUNCATE order_service.positions, order_service.orders, order_service.events, ' +
  'order_service.seen_events, order_service.dead_letters, and start them again';

/** The key of a rebuild on SQLite. @throws StoreError `STORE_REFUSED` */
export const openRedriveKey = ({ dataDir }: Config): Buffer => openKeyFile(dataDir);
