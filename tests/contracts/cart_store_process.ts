/**
 * A Cart Service's store in a process of its own, to be killed: commits batch after batch, and reports the number of
 * each once it is committed.
 */
import { createSqliteCartStore } from '#cart_service/store/sqlite/sqlite_cart_store.ts';
import { batch, order, row } from './cart_store_contract.ts';

// A parent that is gone must not leave this behind.
process.once('disconnect', () => process.exit());

const store = createSqliteCartStore({ directory: process.argv[2] ?? '' });
for (let n = 1; ; n++) {
  await store.commit(
    batch({
      settled: [n - 1],
      orders: [order(`ORD-${n}`)],
      outbox: [row(n)],
      positions: [{ partition: 0, topicId: 'topic-1', next: n }],
    }),
  );
  process.send?.(n);
  await new Promise(setImmediate);
}
