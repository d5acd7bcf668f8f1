import { readDatabaseAddress } from '#service_common/postgres/database_address.ts';
import { openPostgresConsumerDb } from '#order_service/store/postgres/postgres_consumer_db.ts';
import { postgresOfFile } from '#tests/postgres/postgres_for_tests.ts';
import { consumerDbContract } from './consumer_db_contract.ts';

const postgres = await postgresOfFile();

consumerDbContract(
  'PostgreSQL',
  async () => {
    const address = readDatabaseAddress(await postgres.newDatabase(), '');
    return { open: () => openPostgresConsumerDb(address), remove: async () => {} };
  },
  postgres.options,
);
