import { setImmediate as othersTurn } from 'node:timers/promises';
import { openDatabase } from '#service_common/sqlite/open_database.ts';
import { commitTransaction } from '#service_common/sqlite/transactions.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { Order } from '#kafka_common/models.ts';
import type {
  AppliedBatch,
  ConsumerDb,
  DeadLetter,
  LoadedViews,
  OrderView,
  PositionStep,
  StoredEvent,
} from '#order_service/consumer_db.ts';
import { prepareListing } from './listing.ts';
import { headersToText, type Row, toDeadLetter, toStoredEvent, toView, toViewedOrder } from './rows.ts';
import { prepareStatements, SCHEMA } from './tables.ts';

/** Ids in one page of `orderIds`: what a listing holds in memory, and how long it keeps others waiting (about 1 ms). */
const PAGE_SIZE = 1_000;

/**
 * Room for the pages that a transaction changes: for each of its 500 events one of the orders' ids and one of their
 * customers', of 4 KiB. With SQLite's 2 MB, they would be written out and read again within it.
 */
const CACHE_KIB = 8_000;

export const VIEW_FILE = 'order_view.sqlite';

/** What tells a file as a view with the tables of this version. */
export const VIEW_FORMAT = { applicationId: 0x4f45_5657, schemaVersion: 2 } as const;

/** @throws StoreError `STORE_REFUSED` */
export const createSqliteConsumerDb = ({ directory }: { directory: string }): ConsumerDb => {
  const db = openDatabase({
    directory,
    name: VIEW_FILE,
    ...VIEW_FORMAT,
    schema: SCHEMA,
    // All that it holds comes from the log, which the view reads again from its start.
    replacesOlder: true,
    checkpointedElsewhere: true,
  });
  db.exec(`PRAGMA cache_size=-${CACHE_KIB}`);
  const sql = prepareStatements(db);
  const listOrders = prepareListing(db);

  /** Mostly none does, and nobody need look for it. */
  const anyWaits = (): boolean => sql.anyWaiting.get() !== undefined;

  const viewsOf = (orderIds: readonly string[]): Pick<LoadedViews, 'views' | 'lastEvents'> => {
    const rows = sql.views(orderIds);
    if (anyWaits()) {
      const known = new Set(rows.map((row) => row['order_id']));
      for (const orderId of orderIds) {
        const row = known.has(orderId) ? undefined : sql.waitingView.get(orderId);
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

  const moveOn = ({ topic, partition, topicId, from, next }: PositionStep): void => {
    const stored = sql.position.get(topic, partition, topicId)?.['next'] ?? null;
    if (stored !== from) throw new StoreError('STORE_OVERTAKEN', overtaken(partition, from, stored));
    sql.putPosition.run(topic, partition, topicId, next);
  };

  /** @returns the last event of each order in it */
  const putHistory = ({ history, lastEvents }: AppliedBatch): Map<string, number> => {
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

  const putViews = ({ views, orders }: AppliedBatch, last: ReadonlyMap<string, number>): void => {
    const bodies = new Map(orders.map((order) => [order.orderId, order]));
    const anyDid = anyWaits();
    for (const view of views) {
      const { orderId, version, status, waitingSince } = view;
      const body = bodies.get(orderId);
      const event = last.get(orderId) ?? null;
      if (waitingSince !== null) {
        sql.putWaiting.run(orderId, version, status, waitingSince, event);
      } else if (body === undefined) {
        sql.updateOrder.run(version, status, event, orderId);
      } else {
        putOrder(view, body, event);
        if (anyDid) sql.deleteWaiting.run(orderId);
      }
    }
  };

  const putOrder = ({ orderId, version, status }: OrderView, body: Order, event: number | null): void => {
    const orderedAt = Date.parse(body.orderDate);
    sql.putOrder.run(orderId, version, status, body.customerId, orderedAt, event, JSON.stringify(body));
  };

  /** Orders that got events without effect only: those belong to their history too. */
  const extendOthers = ({ views }: AppliedBatch, last: ReadonlyMap<string, number>): void => {
    if (last.size <= views.length) return;
    const written = new Set(views.map(({ orderId }) => orderId));
    for (const [orderId, event] of last) {
      if (written.has(orderId)) continue;
      if (sql.extendOrder.run(event, orderId).changes === 0) sql.extendWaiting.run(event, orderId);
    }
  };

  const setAside = (letter: DeadLetter): void => {
    const { topic, partition, offset, timestamp, key, value, reason, storedAt } = letter;
    sql.putDeadLetter.run(topic, partition, offset, timestamp, key, value, headersToText(letter), reason, storedAt);
  };

  const setRedriven = ({ letter, at, partition, offset, outcome }: AppliedBatch['redriven'][number]): void => {
    sql.setRedriven.run(at, partition, offset, outcome, letter.partition, letter.offset, letter.topic);
  };

  const historyOf = (orderId: string, before: number | null, limit: number): StoredEvent[] | null => {
    const known = sql.lastEvent.get(orderId);
    if (known === undefined) return null;
    const events: StoredEvent[] = [];
    let next = known['last_event'] as number | null;
    if (before !== null) {
      // A place in this history: of another order's event, or of none, there is nothing before it here.
      const row = sql.event.get(before);
      next = row?.['order_id'] === orderId ? (row['previous'] as number | null) : null;
    }
    while (next !== null && events.length < limit) {
      const row = sql.event.get(next) as Row;
      events.push(toStoredEvent(row));
      next = row['previous'] as number | null;
    }
    return events;
  };

  return {
    load: async (orderIds, unversionedEventIds): Promise<LoadedViews> =>
      reading(() => ({
        ...viewsOf(orderIds),
        seenEventIds: new Set(unversionedEventIds.filter((id) => sql.seen.get(id) !== undefined)),
      })),

    applyBatch: async (batch) =>
      commitTransaction(db, () => {
        batch.positions.forEach(moveOn);
        const last = putHistory(batch);
        putViews(batch, last);
        extendOthers(batch, last);
        batch.unversionedEventIds.forEach((id) => sql.putSeen.run(id));
        batch.deadLetters.forEach(setAside);
        // After them: a view that is built from the log meets a letter and its redrive in one batch.
        batch.redriven.forEach(setRedriven);
      }),

    positions: async (topic) =>
      reading(() =>
        sql.positions.all(topic).map((row) => ({
          partition: row['partition'] as number,
          topicId: row['topic_id'] as string,
          next: row['next'] as number,
        })),
      ),

    order: async (orderId) =>
      reading(() => {
        const row = sql.order.get(orderId);
        return row ? toViewedOrder(row) : null;
      }),

    orders: async (filter, after, limit) => reading(() => listOrders(filter, after, limit)),

    history: async (orderId, before, limit) => reading(() => historyOf(orderId, before, limit)),

    eventsAfter: async (sequence, limit) => reading(() => sql.eventsAfter.all(sequence, limit).map(toStoredEvent)),

    lastSequence: async () => reading(() => sql.lastSequence.get()?.['last'] as number),

    orderIds: async function* () {
      const last = reading(() => sql.lastArrival.get()?.['last'] as number);
      for (let after = 0; after < last; after += PAGE_SIZE) {
        const page = reading(() => sql.idsBetween.all(after, Math.min(after + PAGE_SIZE, last)));
        yield page.map((row) => row['order_id'] as string);
        await othersTurn();
      }
    },

    waiting: async (limit) => reading(() => sql.oldestWaiting.all(limit).map(toView)),

    deadLetters: async (after, limit, state = 'all') =>
      reading(() => sql.deadLetters[state].all(after, limit).map(toDeadLetter)),

    counts: async () =>
      reading(() => {
        const { orders, waiting, deadLetters, redriven } = sql.counts.get() as Record<string, number>;
        const total = deadLetters ?? 0;
        return {
          orders: orders ?? 0,
          waiting: waiting ?? 0,
          deadLetters: total,
          heldDeadLetters: total - (redriven ?? 0),
        };
      }),

    close: async () => db.close(),
  };
};

const overtaken = (partition: number, from: number | null, stored: unknown): string =>
  `partition ${partition} of the view stands at ${String(stored)} and no longer at ${from}: another process applies it too`;

const reading = <T>(query: () => T): T => {
  try {
    return query();
  } catch (error) {
    throw new StoreError('STORE_UNAVAILABLE', `the store could not be read: ${String(error)}`, error);
  }
};
