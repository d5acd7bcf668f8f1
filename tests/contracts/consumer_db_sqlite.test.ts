import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteConsumerDb } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import { consumerDbContract } from './consumer_db_contract.ts';

consumerDbContract('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'consumer-db-'));
  return {
    open: async () => createSqliteConsumerDb({ directory }),
    remove: () => rm(directory, { recursive: true }),
  };
});
