import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Broker } from '#kafka_common/broker.ts';
import type { LogEntry } from '#tests/checker/evidence.ts';
import { fold } from '#tests/checker/fold.ts';
import { eventually } from '#tests/support/eventually.ts';

/** The contents of a view's file at one moment. The service may be running. */
export interface StoredView {
  readonly orders: ReadonlyMap<
    string,
    { readonly version: number; readonly status: string; readonly isPending: boolean }
  >;
  /** The next offset to read, by partition. */
  readonly positions: ReadonlyMap<number, number>;
}

export const readView = (storeDir: string, topic: string): StoredView =>
  inView(storeDir, (db) => {
    const orders = db.prepare(
      'SELECT order_id, version, status, 0 AS pending FROM orders UNION ALL SELECT order_id, version, status, 1 FROM waiting',
    );
    return {
      orders: new Map(
        Array.from(orders.iterate(), (row) => [
          String(row['order_id']),
          { version: Number(row['version']), status: String(row['status']), isPending: row['pending'] === 1 },
        ]),
      ),
      positions: positionsIn(db, topic),
    };
  });

const positionsOf = (storeDir: string, topic: string): ReadonlyMap<number, number> =>
  inView(storeDir, (db) => positionsIn(db, topic));

const positionsIn = (db: DatabaseSync, topic: string): ReadonlyMap<number, number> =>
  new Map(
    db
      .prepare('SELECT partition, next FROM positions WHERE topic = ?')
      .all(topic)
      .map((row) => [Number(row['partition']), Number(row['next'])]),
  );

const inView = <T>(storeDir: string, read: (db: DatabaseSync) => T): T => {
  const db = new DatabaseSync(join(storeDir, 'order_view.sqlite'), { readOnly: true, timeout: 5_000 });
  try {
    // One transaction, so that the positions and the orders are of the same moment.
    db.exec('BEGIN');
    return read(db);
  } finally {
    db.close();
  }
};

/** Waits until the view has applied everything that the log holds now. @throws Error after `withinMs` */
export const untilViewHasAll = async (
  where: { readonly broker: Broker; readonly topic: string; readonly storeDir: string },
  withinMs: number,
): Promise<void> => {
  const bounds = await where.broker.bounds(where.topic);
  await eventually(() => {
    const positions = positionsOf(where.storeDir, where.topic);
    for (const [partition, { end }] of bounds) {
      const next = positions.get(partition) ?? 0;
      if (next < end) throw new Error(`the view is at ${next} of ${end} in partition ${partition}`);
    }
  }, withinMs);
};

/**
 * Compares a view with the fold of the log up to the view's positions.
 * @returns one line for each order that differs
 */
export const foldDifferences = (view: StoredView, log: readonly LogEntry[]): string[] => {
  const applied = log.filter(({ partition, offset }) => offset < (view.positions.get(partition) ?? 0));
  const histories = Map.groupBy(
    applied.flatMap(({ event }) => event ?? []),
    ({ orderId }) => orderId,
  );
  const differing = [...histories].flatMap(([orderId, events]) => {
    const expected = fold(events);
    const seen = view.orders.get(orderId);
    const wanted = `version ${expected.version}, ${expected.status}${expected.order === null ? ', pending' : ''}`;
    const found = seen && `version ${seen.version}, ${seen.status}${seen.isPending ? ', pending' : ''}`;
    return wanted === found ? [] : [`${orderId} is ${found ?? 'missing'}, but the log has ${wanted}`];
  });
  const unknown = [...view.orders.keys()].filter((orderId) => !histories.has(orderId));
  return [...differing, ...unknown.map((orderId) => `${orderId} is in the view, but not in the log`)];
};
