import type { Database } from '#service_common/postgres/database.ts';
import type { Query } from '#service_common/postgres/statements.ts';
import { toPostgresText } from '#service_common/stored_text.ts';
import type { AppliedBatch, OrderView, PositionStep, ViewWriter } from '#order_service/consumer_db.ts';
import { compareOrders, orderChanges, putOrders, type ViewBasis } from './put_orders.ts';
import { comparePositions, movePositions, type NumberedStep } from './put_positions.ts';
import { putRest } from './put_rest.ts';
import { toText, toView } from './rows.ts';

/**
 * Applies events beside other instances. A transaction locks first its partitions, then its orders, each in one order,
 * so no two transactions wait for each other. Then it compares what it was decided on. All statements are sent at once;
 * if the comparison fails, the transaction is rolled back.
 */
export const createViewWriter = (database: Database): ViewWriter => {
  const topics = createTopicNumbers(database);

  return {
    load: async (orderIds, unversionedEventIds) => {
      const loaded = await loadViews(database.query, orderIds);
      // After the views: if another process applies one of these events in between, the view of its order changes.
      const seen =
        unversionedEventIds.length === 0 ? [] : await database.query(SEEN, [unversionedEventIds.map(toPostgresText)]);
      return { ...loaded, seenEventIds: new Set(seen.map((row) => toText(row['event_id']))) };
    },

    applyBatch: async (batch) => {
      try {
        const steps = await topics.numbered(batch.positions);
        await database.transaction((query) => putBatch(query, batch, steps));
      } catch (error) {
        // The database can have been restored from a copy that does not have the topic.
        topics.forget();
        throw error;
      }
    },

    positions: async (topic) =>
      (await database.query(POSITIONS, [topic])).map((row) => ({
        partition: row['partition'] as number,
        topicId: row['topic_id'] as string,
        next: row['next'] as number,
      })),
  };
};

const putBatch = async (query: Query, batch: AppliedBatch, steps: readonly NumberedStep[]): Promise<void> => {
  const basis =
    batch.basis === null ? (await loadViews(query, batch.views.map(idOf))).basis : (batch.basis as ViewBasis);
  const changes = orderChanges(batch, basis);
  const counted = { orders: changes.arrivals, deadLetters: batch.deadLetters.length };
  // Each sends its statements before the next one does.
  const [lockedPositions, orders] = await Promise.all([
    movePositions(query, steps, counted),
    putOrders(query, changes),
    putRest(query, batch, steps),
  ]);
  comparePositions(lockedPositions, steps);
  compareOrders(orders, changes, basis);
};

const idOf = ({ orderId }: OrderView): string => orderId;

const loadViews = async (query: Query, orderIds: readonly string[]) => {
  const views = new Map<string, OrderView>();
  const basis = new Map<string, { revision: number; isPending: boolean }>();
  const rows = orderIds.length === 0 ? [] : await query(VIEWS, [orderIds.map(toPostgresText)]);
  for (const row of rows) {
    const view = toView(row);
    views.set(view.orderId, view);
    basis.set(view.orderId, { revision: row['revision'] as number, isPending: view.pendingSince !== null });
  }
  return { views, basis };
};

/** The numbers of topics in this database. They never change, so each is asked for once. */
const createTopicNumbers = (database: Database) => {
  const numbers = new Map<string, number>();

  const numberOf = async ({ topic, topicId }: PositionStep): Promise<number> => {
    const name = `${topic} ${topicId}`;
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const [found] = await database.query(TOPIC, [topic, topicId]);
    const [row] = found ? [found] : await database.transaction((query) => query(PUT_TOPIC, [topic, topicId]));
    const number = Number(row?.['number']);
    numbers.set(name, number);
    return number;
  };

  return {
    numbered: async (steps: readonly PositionStep[]): Promise<NumberedStep[]> => {
      const numbered: NumberedStep[] = [];
      for (const step of steps) numbered.push({ ...step, topicNumber: await numberOf(step) });
      return numbered;
    },
    forget: () => numbers.clear(),
  };
};

const VIEWS = `SELECT order_id, revision, version, status, pending_since FROM order_service.orders
               WHERE order_id = ANY ($1::text[])`;
const SEEN = 'SELECT event_id FROM order_service.seen_events WHERE event_id = ANY ($1::text[])';
const POSITIONS = `
  SELECT p.partition, t.topic_id, p.next FROM order_service.positions p
  JOIN order_service.topics t ON t.number = p.topic_number
  WHERE p.topic = $1 ORDER BY p.partition`;
const TOPIC = 'SELECT number FROM order_service.topics WHERE name = $1 AND topic_id = $2';
/** The update changes nothing; it gives the number also if another instance was first. */
const PUT_TOPIC = `
  INSERT INTO order_service.topics (name, topic_id) VALUES ($1, $2)
  ON CONFLICT (name, topic_id) DO UPDATE SET name = excluded.name RETURNING number`;
