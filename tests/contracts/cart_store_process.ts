/**
 * The store of a Cart Service in its own process, which a test kills. It commits batch after batch, and reports the number
 * of each committed batch.
 */
import { createSqliteCartStore } from '#cart_service/store/sqlite/sqlite_cart_store.ts';
import { batch, order, row } from './cart_store_contract.ts';

// Ends with its parent.
process.once('disconnect', () => process.exit());

const store = createSqliteCartStore({ directory: process.argv[2] ?? '' });
for (let n = 1; ; n++) {
  await store.commit(
    batch({
      settled: [row(n - 1)],
      orders: [{ state: order(`ORD-${n}`), previous: null }],
      outbox: [row(n)],
      positions: [{ partition: 0, topicId: 'topic-1', next: n }],
    }),
  );
  process.send?.(n);
  await new Promise(setImmediate);
}
