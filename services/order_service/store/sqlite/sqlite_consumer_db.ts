import { openDatabase } from '#service_common/sqlite/open_database.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { SCHEMA, VIEW_FILE, VIEW_FORMAT, VIEW_MIGRATIONS } from './tables.ts';
import { createViewQueries } from './view_queries.ts';
import { createViewWriter } from './view_writer.ts';

/**
 * Room for the pages that a transaction changes. A page has 4 KiB. Each of the 500 events can change one page of the
 * index by order id and one of the index by customer. SQLite's own 2 MB would make a transaction write pages out and
 * read them again.
 */
const CACHE_KIB = 8_000;

/** Opens the view in a folder, and creates it if it is missing. @throws StoreError `STORE_REFUSED` */
export const createSqliteConsumerDb = ({ directory }: { readonly directory: string }): ConsumerDb => {
  const db = openDatabase({
    directory,
    name: VIEW_FILE,
    ...VIEW_FORMAT,
    schema: SCHEMA,
    migrations: VIEW_MIGRATIONS,
    // Everything in it comes from the log, and can be read from there again.
    replacesOlder: true,
    checkpointedElsewhere: true,
  });
  db.exec(`PRAGMA cache_size=-${CACHE_KIB}`);
  return { ...createViewWriter(db), ...createViewQueries(db), close: async () => db.close() };
};
