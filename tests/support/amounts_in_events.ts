import assert from 'node:assert/strict';
import { exponentOf, shippingOf } from '#kafka_common/amounts.ts';
import { toWire } from '#kafka_common/events.ts';
import type { Order } from '#kafka_common/models.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';

/** Orders with any amounts, read from an event and written again. */

interface Item {
  readonly item_id: string;
  readonly quantity: number;
  readonly price: number;
}

export const decode = (currency: string, items: readonly Partial<Item>[], total: number) => {
  const value = JSON.stringify({
    event_id: 'e',
    event_type: 'ORDER_CREATED',
    timestamp: '2026-01-18T12:00:00.000Z',
    order_id: 'ORD-1',
    order: {
      order_id: 'ORD-1',
      customer_id: 'c',
      order_date: '2026-01-18T12:00:00.000Z',
      items: items.map((item) => ({ item_id: 'i', quantity: 1, ...item })),
      total_amount: total,
      currency,
      status: 'new',
    },
  });
  return decodeEvent({ key: Buffer.from('ORD-1'), value: Buffer.from(value) });
};

export const orderOf = (...given: Parameters<typeof decode>): Order => {
  const decoded = decode(...given);
  return decoded.kind === 'event' && decoded.event.type === 'ORDER_CREATED'
    ? decoded.event.order
    : assert.fail(JSON.stringify(decoded));
};

/** The amounts of an order as it is written to JSON again. */
export const writtenAgain = (order: Order) => {
  const wire = toWire({
    type: 'ORDER_CREATED',
    eventId: 'e',
    timestamp: order.orderDate,
    orderId: 'ORD-1',
    version: null,
    order,
  });
  return 'order' in wire
    ? { total: wire.order.total_amount, prices: wire.order.items.map(({ price }) => price) }
    : assert.fail();
};

export const shipping = (order: Order): number => shippingOf(order, exponentOf(order) ?? assert.fail());
