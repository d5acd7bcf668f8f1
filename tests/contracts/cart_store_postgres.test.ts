import { openPostgresCartStore } from '#cart_service/store/postgres/postgres_cart_store.ts';
import { readDatabaseAddress } from '#service_common/postgres/database_address.ts';
import { postgresOfFile } from '#tests/postgres/postgres_for_tests.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { cartStoreContract } from './cart_store_contract.ts';

const postgres = await postgresOfFile();

cartStoreContract(
  'PostgreSQL',
  () => {
    const url = postgres.newDatabase();
    return async () => openPostgresCartStore(readDatabaseAddress(await url, ''), createTestLog().logger);
  },
  postgres.options,
);
