import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '#kafka_common/config.ts';
import { EMBEDDED_LOG_FILE } from '#kafka_common/embedded/log.ts';
import { untilReachable } from '#service_common/postgres/until_reachable.ts';
import { startCheckpoints } from '#service_common/sqlite/checkpoints.ts';
import type { CartStore } from './cart_store.ts';
import { CART_FILE } from './sqlite/cart_schema.ts';
import { createSqliteCartStore } from './sqlite/sqlite_cart_store.ts';

/**
 * Opens the store that the settings name, with all that belongs to it. `close` ends that too.
 *
 * A SQLite file needs checkpoints. One thread makes them for all files to which this process commits: the store's, and
 * the log's if the broker is the embedded one. So the broker must be created first, and closed last.
 * @throws StoreError `STORE_REFUSED`
 */
export const openCartStore = async (config: Config, logger: Logger): Promise<CartStore> => {
  const { database } = config;
  if (database !== null) {
    const { openPostgresCartStore } = await import('./postgres/postgres_cart_store.ts');
    return untilReachable(() => openPostgresCartStore(database, logger), logger);
  }
  const store = createSqliteCartStore({ directory: config.dataDir });
  const isOnKafka = config.kafkaBootstrapServers.length > 0;
  const files = isOnKafka ? [CART_FILE.name] : [CART_FILE.name, EMBEDDED_LOG_FILE];
  const checkpoints = startCheckpoints(files.map((name) => join(config.dataDir, name)));
  return {
    ...store,
    async close() {
      await checkpoints.stop();
      await store.close();
    },
  };
};
