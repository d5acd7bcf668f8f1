import type { DatabaseSync } from 'node:sqlite';
import { lockFile } from '#service_common/sqlite/file_lock.ts';
import { openDatabase } from '#service_common/sqlite/open_database.ts';
import { commitTransaction } from '#service_common/sqlite/transactions.ts';
import type { CartStore } from '#cart_service/store/cart_store.ts';
import { prepareReads } from './cart_reads.ts';
import { CART_FILE } from './cart_schema.ts';
import { prepareWrites } from './cart_writes.ts';

/**
 * Opens the Cart Service's store in `directory`, in a SQLite file that is locked for this process. The caller makes its
 * checkpoints. @throws StoreError `STORE_REFUSED`
 */
export const createSqliteCartStore = ({ directory }: { directory: string }): CartStore => {
  const db = openDatabase({ directory, ...CART_FILE, checkpointedElsewhere: true });
  const unlock = lockOrClose(db, directory);
  const reads = prepareReads(db);
  const apply = prepareWrites(db);

  return {
    // oxlint-disable-next-line require-await -- node:sqlite is synchronous, the seam is not
    load: async (orderIds, idempotencyKeys) => reads.load(orderIds, idempotencyKeys),

    // oxlint-disable-next-line require-await -- see load
    commit: async (batch) => commitTransaction(db, () => apply(batch)),

    // oxlint-disable-next-line require-await -- see load
    outbox: async () => reads.outbox(),

    // oxlint-disable-next-line require-await -- see load
    firstSeq: async () => reads.lastSeq() + 1,

    // oxlint-disable-next-line require-await -- see load
    positions: async () => reads.positions(),

    sharing: null,

    // oxlint-disable-next-line require-await -- see load
    async close() {
      db.close();
      unlock();
    },
  };
};

const lockOrClose = (db: DatabaseSync, directory: string): (() => void) => {
  try {
    return lockFile({ directory, name: CART_FILE.name });
  } catch (error) {
    db.close();
    throw error;
  }
};
