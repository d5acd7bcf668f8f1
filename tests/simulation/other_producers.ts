import type { OrderCreated, OrderStatusUpdated } from '#kafka_common/events.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import type { Operation } from './plan.ts';
import { TOPIC, type World } from './world.ts';

/** What other producers write to the topic. */

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02';
const TIMESTAMP = '2026-01-18T12:00:00.000Z';
/** Begins the ids of orders that no client asks for: the Cart Service learns of them from the log. */
const ID_PREFIX = 'ORD-77';

export const writePoison = ({ cluster }: World, order: number): void =>
  cluster.write(TOPIC, { key: `ORD-${order + 1}`, value: '{"event_type":"ORDER_CREATED"}', headers: {} });

/** Writes a status, and its order later. */
export const writeStatusFirst = (
  world: World,
  { order, gapMs }: Extract<Operation, { kind: 'status_first' }>,
): void => {
  const orderId = `${ID_PREFIX}${order}`;
  const status: OrderStatusUpdated = {
    type: 'ORDER_STATUS_UPDATED',
    eventId: `${orderId}-status`,
    timestamp: TIMESTAMP,
    orderId,
    version: 2,
    status: 'shipped',
  };
  const created: OrderCreated = {
    type: 'ORDER_CREATED',
    eventId: `${orderId}-created`,
    timestamp: TIMESTAMP,
    orderId,
    version: 1,
    order: {
      orderId,
      customerId: 'CUST-1',
      orderDate: TIMESTAMP,
      items: [{ itemId: 'ITEM-1', quantity: 1, price: 100 }],
      totalAmount: 100,
      currency: 'USD',
      status: 'new',
    },
  };
  if (world.cluster.describe(TOPIC) === null) return;
  world.cluster.write(TOPIC, encodeEvent(status, TRACEPARENT));
  world.after(gapMs, () => world.cluster.write(TOPIC, encodeEvent(created, TRACEPARENT)));
};
