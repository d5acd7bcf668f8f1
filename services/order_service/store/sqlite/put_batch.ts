import type { Order } from '#kafka_common/models.ts';
import { StoreError } from '#service_common/store_error.ts';
import { toSqliteText } from '#service_common/stored_text.ts';
import type { AppliedBatch, DeadLetter, OrderView, PositionStep } from '#order_service/consumer_db.ts';
import { headersToText } from '#order_service/store/header_text.ts';
import type { WriterStatements } from './writer_statements.ts';

/** What a decision was made on. */
export interface ViewBasis {
  /** Another number after each commit of another process. */
  readonly commits: number;
  /** The `sequence` of the last event of each order. */
  readonly lastEvents: ReadonlyMap<string, number>;
}

/** Writes a batch, within a transaction. @throws StoreError `STORE_OVERTAKEN`, `STORE_CHANGED` */
export const putBatch = (sql: WriterStatements, batch: AppliedBatch): void => {
  batch.positions.forEach((step) => movePosition(sql, step));
  const basis = batch.basis as ViewBasis | null;
  if (basis !== null && basis.commits !== sql.commits())
    throw new StoreError('STORE_CHANGED', 'another process has changed the view since this transaction was decided');
  const lastEvents = putHistory(sql, batch, basis?.lastEvents ?? new Map());
  putViews(sql, batch, lastEvents);
  extendOtherHistories(sql, batch, lastEvents);
  batch.unversionedEventIds.forEach((id) => sql.putSeen.run(toSqliteText(id)));
  batch.deadLetters.forEach((letter) => putDeadLetter(sql, letter));
  // After the letters: when the view is built from the log, a letter and its redrive can come in one batch.
  batch.redriven.forEach((redriven) => setRedriven(sql, redriven));
};

const movePosition = (sql: WriterStatements, { topic, partition, topicId, from, next }: PositionStep): void => {
  const stored = sql.position.get(topic, partition, topicId)?.['next'] ?? null;
  if (stored !== from) throw new StoreError('STORE_OVERTAKEN', overtaken(partition, from, stored));
  sql.putPosition.run(topic, partition, topicId, next);
};

const overtaken = (partition: number, from: number | null, stored: unknown): string =>
  `partition ${partition} of the view is at ${String(stored)} and no longer at ${from}: another process applies it too`;

/** @returns the last event of each order in the batch */
const putHistory = (
  sql: WriterStatements,
  { history }: AppliedBatch,
  lastEvents: ViewBasis['lastEvents'],
): Map<string, number> => {
  const last = new Map<string, number>();
  let sequence = history.length === 0 ? 0 : (sql.lastSequence.get()?.['last'] as number);
  for (const { orderId, type, version, status, timestamp, partition, offset, outcome } of history) {
    const previous = last.get(orderId) ?? lastEvents.get(orderId) ?? null;
    const created = type === 'ORDER_CREATED' ? 1 : 0;
    last.set(orderId, (sequence += 1));
    sql.putEvent.run(sequence, orderId, previous, created, version, status, timestamp, partition, offset, outcome);
  }
  return last;
};

/** Usually no status is pending, and then no order needs to be looked up among them. */
export const isAnyPending = (sql: WriterStatements): boolean => sql.anyPending.get() !== undefined;

const putViews = (
  sql: WriterStatements,
  { views, orders }: AppliedBatch,
  lastEvents: ReadonlyMap<string, number>,
): void => {
  const bodies = new Map(orders.map((order) => [order.orderId, order]));
  const wasAnyPending = isAnyPending(sql);
  for (const view of views) {
    const { orderId, version, status, pendingSince } = view;
    const body = bodies.get(orderId);
    const event = lastEvents.get(orderId) ?? null;
    if (pendingSince !== null) {
      sql.putPending.run(orderId, version, status, pendingSince, event);
    } else if (body === undefined) {
      sql.updateOrder.run(version, status, event, orderId);
    } else {
      putOrder(sql, view, body, event);
      if (wasAnyPending) sql.deletePending.run(orderId);
    }
  }
};

const putOrder = (
  sql: WriterStatements,
  { orderId, version, status }: OrderView,
  body: Order,
  event: number | null,
): void => {
  const orderedAt = Date.parse(body.orderDate);
  sql.putOrder.run(orderId, version, status, toSqliteText(body.customerId), orderedAt, event, JSON.stringify(body));
};

/** Events without effect belong to the history of their order too. */
const extendOtherHistories = (
  sql: WriterStatements,
  { views }: AppliedBatch,
  lastEvents: ReadonlyMap<string, number>,
): void => {
  if (lastEvents.size <= views.length) return;
  const written = new Set(views.map(({ orderId }) => orderId));
  for (const [orderId, event] of lastEvents) {
    if (written.has(orderId)) continue;
    if (sql.setLastEventOfOrder.run(event, orderId).changes === 0) sql.setLastEventOfPending.run(event, orderId);
  }
};

const putDeadLetter = (sql: WriterStatements, letter: DeadLetter): void => {
  const { topic, partition, offset, timestamp, key, value, reason, isWhole, storedAt } = letter;
  const position = [topic, partition, offset] as const;
  const headers = headersToText(letter.headers);
  sql.putDeadLetter.run(...position, timestamp, key, value, headers, reason, isWhole ? 1 : 0, storedAt);
};

const setRedriven = (sql: WriterStatements, redriven: AppliedBatch['redriven'][number]): void => {
  const { letter, at, partition, offset, outcome } = redriven;
  sql.setRedriven.run(at, partition, offset, outcome, letter.partition, letter.offset, letter.topic);
};
