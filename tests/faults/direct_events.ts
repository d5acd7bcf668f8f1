import { randomUUID } from 'node:crypto';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Broker, Message } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import type { OrderStatus } from '#kafka_common/models.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';

/** Valid events of another producer than the Cart Service, for orders that no cart knows. */

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const TIMESTAMP = '2026-01-18T12:00:00.000Z';
const PUBLISH_MS = 30_000;
/** Messages per call. The embedded broker writes them synchronously, and the load waits meanwhile. */
const AT_A_TIME = 1_000;

/**
 * The id of an order outside of the load, below `FIRST_ORDER_NUMBER`.
 * @param family 1 to 99, another one for each row
 */
export const directOrderId = (family: number, number: number): string => `ORD-${family * 10_000_000 + number}`;

/** The create of an order and one event for each status, with versions from 1. */
export const historyOf = (orderId: string, statuses: readonly OrderStatus[]): OrderEvent[] => [
  {
    type: 'ORDER_CREATED',
    eventId: randomUUID(),
    timestamp: TIMESTAMP,
    orderId,
    version: 1,
    order: {
      orderId,
      customerId: 'CUST-00042',
      orderDate: TIMESTAMP,
      items: [{ itemId: 'ITEM-001', quantity: 2, price: 7_500 }],
      totalAmount: 15_000,
      currency: 'USD',
      status: 'new',
    },
  },
  ...statuses.map((status, index): OrderEvent => ({
    type: 'ORDER_STATUS_UPDATED',
    eventId: randomUUID(),
    timestamp: TIMESTAMP,
    orderId,
    version: index + 2,
    status,
  })),
];

export const toMessage = (event: OrderEvent): Message => encodeEvent(event, TRACEPARENT);

/** Publishes the messages in the given order. @throws Error if one was not acknowledged */
export const publishAll = async (broker: Broker, topicName: string, messages: Iterable<Message>): Promise<void> => {
  const topic = await broker.describeTopic(topicName);
  if (topic === null) throw new Error(`the topic ${topicName} does not exist`);
  const publish = async (batch: readonly Message[]): Promise<void> => {
    const fates = await broker.publish(topic, batch, PUBLISH_MS);
    const lost = fates.find(({ kind }) => kind !== 'acknowledged');
    if (lost) throw new Error(`a message was not acknowledged: ${JSON.stringify(lost)}`);
  };
  let batch: Message[] = [];
  for (const message of messages) {
    batch.push(message);
    if (batch.length < AT_A_TIME) continue;
    await publish(batch);
    await othersTurn();
    batch = [];
  }
  if (batch.length > 0) await publish(batch);
};
