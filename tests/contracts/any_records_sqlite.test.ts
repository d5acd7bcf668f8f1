import { createSqliteConsumerDb } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { anyRecordsContract } from './any_records_contract.ts';

anyRecordsContract('SQLite', async () => createSqliteConsumerDb({ directory: tempDir() }), { numRuns: 300 });
