/** What the measured processes need before they start: settings and filled stores. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Order } from '../libs/kafka_common/models.ts';
import { createSqliteCartStore } from '../services/cart_service/store/sqlite/sqlite_cart_store.ts';
import { EMPTY_CART_BATCH } from '../services/cart_service/store/cart_store.ts';
import { createSqliteConsumerDb } from '../services/order_service/store/sqlite/sqlite_consumer_db.ts';
import { eventually } from '../tests/support/eventually.ts';
import { createdEvent } from './events.ts';
import type { Subject } from './subjects.ts';

const READY_MS = 60_000;
const AT_A_TIME = 5_000;

export const untilReady = async ({ url }: Pick<Subject, 'url'>): Promise<void> => {
  await eventually(async () => assert.equal((await fetch(`${url}/health/ready`)).status, 200), READY_MS);
};

/** Settings with a new topic and group; on the embedded broker if `bootstrapServers` is empty. */
export const freshSettings = (directory: string, bootstrapServers: string): Record<string, string> => ({
  DATA_DIR: directory,
  KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
  ORDERS_TOPIC: randomUUID(),
  CONSUMER_GROUP: randomUUID(),
});

/** Orders 1 to `count` with random ids, a few thousand at a time. */
function* ordersUpTo(count: number): Generator<readonly Order[]> {
  for (let n = 1; n <= count; n += AT_A_TIME) {
    const size = Math.min(AT_A_TIME, count - n + 1);
    yield Array.from({ length: size }, (_, i) => createdEvent(n + i, 'random').order);
  }
}

/** Writes a view like that of an Order Service after `count` creates. */
export const fillView = async (directory: string, count: number): Promise<void> => {
  const db = createSqliteConsumerDb({ directory });
  let from: number | null = null;
  for (const orders of ordersUpTo(count)) {
    const next: number = (from ?? 0) + orders.length;
    await db.applyBatch({
      positions: [{ topic: 'filled', partition: 0, topicId: 'filled', from, next }],
      views: orders.map(({ orderId, status }) => ({ orderId, version: 1, status, pendingSince: null })),
      orders,
      unversionedEventIds: [],
      history: [],
      deadLetters: [],
      redriven: [],
      basis: null,
    });
    from = next;
  }
  await db.close();
};

/** Writes a store like that of a Cart Service after `count` creates. */
export const fillCartStore = async (directory: string, count: number): Promise<void> => {
  const store = createSqliteCartStore({ directory });
  for (const orders of ordersUpTo(count)) {
    await store.commit({
      ...EMPTY_CART_BATCH,
      orders: orders.map(({ orderId, status }) => ({ state: { orderId, version: 1, status }, previous: null })),
    });
  }
  await store.close();
};
