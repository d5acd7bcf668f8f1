import { readDatabaseAddress } from '#service_common/postgres/database_address.ts';
import { openPostgresStore } from '#order_service/store/postgres/postgres_consumer_db.ts';
import { postgresOfFile } from '#tests/postgres/postgres_for_tests.ts';
import { consumerDbContract } from './consumer_db_contract.ts';

const postgres = await postgresOfFile();

consumerDbContract(
  'PostgreSQL',
  async () => {
    const address = readDatabaseAddress(await postgres.newDatabase(), '');
    return { open: async () => (await openPostgresStore(address)).db, remove: async () => {} };
  },
  postgres.options,
);
