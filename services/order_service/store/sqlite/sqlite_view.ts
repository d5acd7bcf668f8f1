import { join } from 'node:path';
import type { Logger } from 'pino';
import { startCheckpoints } from '#service_common/sqlite/checkpoints.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { createSqliteConsumerDb } from './sqlite_consumer_db.ts';
import { VIEW_FILE } from './tables.ts';
import { claimView } from './view_files.ts';

export interface SqliteViewOptions {
  readonly directory: string;
  readonly logger: Logger;
}

/**
 * Opens the view for a running service. Until it is closed, the service holds a lock that it can share only with other
 * services. If a rebuilt view is there, the service takes it up first.
 * @throws StoreError `STORE_REFUSED`
 */
export const openSqliteView = ({ directory, logger }: SqliteViewOptions): ConsumerDb => {
  const release = claimView(directory, logger);
  try {
    const db = openCheckpointedView(directory);
    return {
      ...db,
      close: async () => {
        await db.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
};

/** Opens a view whose checkpoints are made by a thread. @throws StoreError `STORE_REFUSED` */
export const openCheckpointedView = (directory: string): ConsumerDb => {
  const db = createSqliteConsumerDb({ directory });
  const checkpoints = startCheckpoints([join(directory, VIEW_FILE)]);
  return {
    ...db,
    close: async () => {
      await checkpoints.stop();
      await db.close();
    },
  };
};
