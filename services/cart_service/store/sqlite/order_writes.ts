import type { DatabaseSync } from 'node:sqlite';
import type { AheadEvent, DecidedOrder, LearnedOrder } from '#cart_service/store/cart_store.ts';

/** What a batch does to the states of orders. */
interface OrderWrites {
  /** @returns false if the order is not as it was decided on */
  decide(order: DecidedOrder): boolean;
  /** Restores what was before, unless the order has changed. */
  takeBack(order: DecidedOrder): void;
  learn(order: LearnedOrder): void;
  setAhead(event: AheadEvent): void;
  clearAhead(): void;
}

export const prepareOrderWrites = (db: DatabaseSync): OrderWrites => {
  const insertOrder = db.prepare(
    'INSERT INTO orders (order_id, version, status) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const updateOrder = db.prepare(
    'UPDATE orders SET version = ?, status = ?, ahead = NULL WHERE order_id = ? AND version = ? AND status = ?',
  );
  const learnOrder = db.prepare(
    `INSERT INTO orders (order_id, version, status, logged, pending) VALUES (?1, ?2, ?3, ?5, ?4)
     ON CONFLICT (order_id) DO UPDATE SET
       status = iif(excluded.version >= version, excluded.status, status),
       version = max(version, excluded.version),
       logged = max(logged, excluded.logged),
       pending = excluded.pending`,
  );
  const UNTOUCHED = 'order_id = ? AND version = ? AND status = ? AND logged < version';
  const deleteOrder = db.prepare(`DELETE FROM orders WHERE ${UNTOUCHED}`);
  const restoreOrder = db.prepare(`UPDATE orders SET version = ?, status = ?, ahead = NULL WHERE ${UNTOUCHED}`);
  const setAhead = db.prepare('UPDATE orders SET ahead = ? WHERE order_id = ? AND version = ?');
  const clearAhead = db.prepare('UPDATE orders SET ahead = NULL WHERE ahead IS NOT NULL');

  return {
    decide({ state: { orderId, version, status }, previous }) {
      const { changes } =
        previous === null
          ? insertOrder.run(orderId, version, status)
          : updateOrder.run(version, status, orderId, previous.version, previous.status);
      return changes === 1;
    },
    takeBack({ state: { orderId, version, status }, previous }) {
      if (previous === null) deleteOrder.run(orderId, version, status);
      else restoreOrder.run(previous.version, previous.status, orderId, version, status);
    },
    learn({ orderId, version, status, isPending = false, logged = version }) {
      learnOrder.run(orderId, version, status, isPending ? 1 : 0, logged);
    },
    setAhead({ orderId, version, offset }) {
      setAhead.run(offset, orderId, version);
    },
    clearAhead() {
      clearAhead.run();
    },
  };
};
