import type { Logger } from 'pino';
import type { Config } from '#kafka_common/config.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { openRedriveKey as openKey } from './redrive_key.ts';
import type { ViewRebuild } from './view_rebuild.ts';

/** The stores that can stand behind the seams. Now that is SQLite, in the data folder of the settings. */

/** Opens the view for a running service. @throws StoreError `STORE_REFUSED` */
export const openConsumerDb = async ({ dataDir }: Config, logger: Logger): Promise<ConsumerDb> => {
  const { openSqliteView } = await import('./sqlite/sqlite_view.ts');
  return openSqliteView({ directory: dataDir, logger });
};

/** Begins a rebuild of the view; null if another one is under way. @throws StoreError `STORE_REFUSED` */
export const openViewRebuild = async ({ dataDir }: Config): Promise<ViewRebuild | null> => {
  const { openSqliteViewRebuild } = await import('./sqlite/sqlite_view_rebuild.ts');
  return openSqliteViewRebuild(dataDir);
};

/** The key by which the service recognizes what it has redriven. @throws StoreError `STORE_REFUSED` */
export const openRedriveKey = ({ dataDir }: Config): Buffer => openKey(dataDir);
