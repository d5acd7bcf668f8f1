import { readDatabaseAddress } from '#service_common/postgres/database_address.ts';
import { openPostgresStore } from '#order_service/store/postgres/postgres_consumer_db.ts';
import { postgresOfFile } from '#tests/postgres/postgres_for_tests.ts';
import { anyRecordsContract } from './any_records_contract.ts';

const postgres = await postgresOfFile();

const open = async () => (await openPostgresStore(readDatabaseAddress(await postgres.newDatabase(), ''))).db;

anyRecordsContract('PostgreSQL', open, { ...postgres.options, numRuns: 100 });
