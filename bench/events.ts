/** Events like those of the Cart Service, but made without one. */
import { randomUUID } from 'node:crypto';
import type { Message } from '../libs/kafka_common/broker.ts';
import type { OrderCreated } from '../libs/kafka_common/events.ts';
import { createKafkaBroker } from '../libs/kafka_common/kafka/kafka_broker.ts';
import { encodeEvent } from '../libs/kafka_common/serdes_json.ts';
import { generateOrder } from '../services/cart_service/order_generator.ts';
import { orderNumber } from './load_requests.ts';

export type Ids = 'random' | 'time-ordered';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const PUBLISH_MS = 30_000;
const AT_A_TIME = 2_000;
const PARTITIONS = 6;

/** The create of the n-th order. @param n from 1 */
export const createdEvent = (n: number, ids: Ids): OrderCreated => {
  const orderId = `ORD-${ids === 'random' ? orderNumber(n) : 1_700_000_000_000 + n}`;
  const timestamp = new Date(1_768_737_600_000 + n).toISOString();
  const draft = { orderId, numberOfItems: 3, items: null, customerId: null, currency: null };
  const order = generateOrder(draft, timestamp, Math.random);
  return { type: 'ORDER_CREATED', eventId: randomUUID(), timestamp, orderId, version: 1, order };
};

/** Makes a topic with the product's number of partitions, and fills it with creates. @returns its name */
export const makeTopic = async (
  bootstrapServers: string,
  events: { readonly count: number; readonly ids: Ids; readonly from?: number } = { count: 0, ids: 'random' },
): Promise<string> => {
  const broker = createKafkaBroker({ bootstrapServers: bootstrapServers.split(','), clientId: 'bench' });
  try {
    const topic = await broker.ensureTopic(`bench-${randomUUID()}`, PARTITIONS);
    for (let n = 1; n <= events.count; n += AT_A_TIME) {
      const size = Math.min(AT_A_TIME, events.count - n + 1);
      const messages = Array.from({ length: size }, (_, i): Message =>
        encodeEvent(createdEvent((events.from ?? 1) + n - 1 + i, events.ids), TRACEPARENT),
      );
      const fates = await broker.publish(topic, messages, PUBLISH_MS);
      const lost = fates.find(({ kind }) => kind !== 'acknowledged');
      if (lost) throw new Error(`a message was not acknowledged: ${JSON.stringify(lost)}`);
    }
    return topic.name;
  } finally {
    await broker.close();
  }
};
