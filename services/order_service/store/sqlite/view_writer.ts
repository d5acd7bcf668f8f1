import type { DatabaseSync } from 'node:sqlite';
import { commitTransaction } from '#service_common/sqlite/transactions.ts';
import { toSqliteText } from '#service_common/stored_text.ts';
import type { OrderView, ViewWriter } from '#order_service/consumer_db.ts';
import { isAnyPending, putBatch, type ViewBasis } from './put_batch.ts';
import { reading } from './reading.ts';
import { toView } from './rows.ts';
import { prepareWriterStatements, type WriterStatements } from './writer_statements.ts';

export const createViewWriter = (db: DatabaseSync): ViewWriter => {
  const sql = prepareWriterStatements(db);
  return {
    load: async (orderIds, unversionedEventIds) =>
      reading(() => {
        // First: a commit that comes between this and the rest is noticed by the transaction.
        const commits = sql.commits();
        const { views, lastEvents } = viewsOf(sql, orderIds);
        const seenEventIds = new Set(unversionedEventIds.filter((id) => sql.seen.get(toSqliteText(id)) !== undefined));
        const basis: ViewBasis = { commits, lastEvents };
        return { views, seenEventIds, basis };
      }),

    applyBatch: async (batch) => commitTransaction(db, () => putBatch(sql, batch)),

    positions: async (topic) =>
      reading(() =>
        sql.positions.all(topic).map((row) => ({
          partition: row['partition'] as number,
          topicId: row['topic_id'] as string,
          next: row['next'] as number,
        })),
      ),
  };
};

const viewsOf = (sql: WriterStatements, orderIds: readonly string[]) => {
  const rows = sql.views(orderIds);
  if (isAnyPending(sql)) {
    const known = new Set(rows.map((row) => row['order_id']));
    for (const orderId of orderIds) {
      const row = known.has(orderId) ? undefined : sql.pendingView.get(orderId);
      if (row) rows.push(row);
    }
  }
  const views = new Map<string, OrderView>();
  const lastEvents = new Map<string, number>();
  for (const row of rows) {
    const view = toView(row);
    views.set(view.orderId, view);
    if (row['last_event'] !== null) lastEvents.set(view.orderId, row['last_event'] as number);
  }
  return { views, lastEvents };
};
