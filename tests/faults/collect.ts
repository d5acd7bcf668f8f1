import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { Broker, LogRecord, Positions } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import type { Order, OrderStatus } from '#kafka_common/models.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { CartEvidence, LogEntry, LoggedEvent, ViewEvidence } from '#tests/checker/evidence.ts';

/** Converts the clock of records (ms since 1970) to the clients' clock. */
const toClientClock = (): ((timestamp: number) => number) => {
  const offset = Date.now() - performance.now();
  return (timestamp) => timestamp - offset;
};

/** Reads the topic to its present end. @param from where each partition begins; the earliest offset if it is missing */
export const readLog = async (
  broker: Broker,
  topic: string,
  from: Positions = new Map(),
): Promise<{ readonly entries: LogEntry[]; readonly next: Positions }> => {
  const toClock = toClientClock();
  const entries: LogEntry[] = [];
  const next = new Map(from);
  for await (const { partition, records, next: after } of broker.read(topic, from)) {
    for (const record of records) {
      const decoded = decodeEvent(record);
      const event = decoded.kind === 'event' ? loggedEvent(decoded.event, isForeign(record)) : null;
      entries.push({ partition, offset: record.offset, writtenAt: toClock(record.timestamp), event });
    }
    next.set(partition, after);
  }
  return { entries, next };
};

const loggedEvent = (event: OrderEvent, isForeign: boolean): LoggedEvent => {
  const { eventId, orderId, version } = event;
  return event.type === 'ORDER_CREATED'
    ? { eventId, orderId, version, status: event.order.status, order: event.order, isForeign }
    : { eventId, orderId, version, status: event.status, order: null, isForeign };
};

const OWN_SOURCE = '/order-events/cart-service';

/** Events that rows write with the service's own encoder count as its own. */
const isForeign = ({ headers }: LogRecord): boolean =>
  !headers.some(([name, value]) => name === 'ce_source' && value?.toString() === OWN_SOURCE);

type Row = Record<string, SQLOutputValue>;

const reading = <T>(path: string, read: (db: DatabaseSync) => T): T => {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    return read(db);
  } finally {
    db.close();
  }
};

/** The furthest position of each partition among the views in these folders. */
export const viewPositions = (storeDirs: readonly string[], topic: string): Map<number, number> => {
  const positions = new Map<number, number>();
  for (const path of viewFiles(storeDirs)) {
    reading(path, (db) => {
      for (const row of db.prepare('SELECT partition, next FROM positions WHERE topic = ?').iterate(topic)) {
        const partition = Number(row['partition']);
        positions.set(partition, Math.max(positions.get(partition) ?? 0, Number(row['next'])));
      }
    });
  }
  return positions;
};

const SELECT_ORDERS = 'SELECT order_id, version, status, body FROM orders';

/**
 * Reads the views in these folders. If several have an order, the highest version counts.
 * @param orderIds only these orders, without pending statuses and dead letters; null: everything
 */
export const readView = (storeDirs: readonly string[], orderIds: Iterable<string> | null): ViewEvidence => {
  const orders = new Map<string, ViewEvidence['orders'][number]>();
  const pending: ViewEvidence['pending'][number][] = [];
  const deadLetters: ViewEvidence['deadLetters'][number][] = [];
  const add = (row: Row): void => {
    const view = {
      orderId: String(row['order_id']),
      version: Number(row['version']),
      status: row['status'] as OrderStatus,
      order: JSON.parse(String(row['body'])) as Order,
    };
    if (view.version >= (orders.get(view.orderId)?.version ?? 0)) orders.set(view.orderId, view);
  };
  const wanted = orderIds === null ? null : [...orderIds];
  for (const path of viewFiles(storeDirs)) {
    reading(path, (db) => {
      if (wanted !== null) {
        const select = db.prepare(`${SELECT_ORDERS} WHERE order_id = ?`);
        for (const id of wanted) {
          const row = select.get(id);
          if (row !== undefined) add(row);
        }
        return;
      }
      for (const row of db.prepare(`${SELECT_ORDERS} ORDER BY arrival`).iterate()) add(row);
      for (const row of db.prepare('SELECT order_id, version, status FROM waiting').iterate())
        pending.push(stateOf(row));
      for (const row of db.prepare('SELECT partition, "offset" FROM dead_letters').iterate()) {
        deadLetters.push({ partition: Number(row['partition']), offset: Number(row['offset']) });
      }
    });
  }
  return { orders: [...orders.values()], listed: [...orders.keys()], pending, deadLetters };
};

const viewFiles = (storeDirs: readonly string[]): string[] =>
  [...new Set(storeDirs)].map((dir) => join(dir, 'order_view.sqlite')).filter((path) => existsSync(path));

/** Reads the cart's store; null if there is none. The service must have stopped, because it locks the file. */
export const readCart = (storeDir: string): CartEvidence | null => {
  const path = join(storeDir, 'cart.sqlite');
  if (!existsSync(path)) return null;
  return reading(path, (db) => ({
    orders: db.prepare('SELECT order_id, version, status FROM orders').all().map(stateOf),
    outbox: db
      .prepare('SELECT order_id, event_id FROM outbox')
      .all()
      .map((row) => ({ orderId: String(row['order_id']), eventId: String(row['event_id']) })),
  }));
};

const stateOf = (row: Row): { orderId: string; version: number; status: OrderStatus } => ({
  orderId: String(row['order_id']),
  version: Number(row['version']),
  status: row['status'] as OrderStatus,
});
