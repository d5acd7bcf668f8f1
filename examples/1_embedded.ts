/**
 * Example 1: publish the life of one order and consume it, on the embedded broker.
 *
 * You learn:
 * - the four steps of the broker seam (`libs/kafka_common/broker.ts`): ensure a topic, publish, consume, commit;
 * - why the key of a message is the order id: equal keys share a partition, so the events of one order stay in order;
 * - that each message has its own fate, and only `acknowledged` means that the log has it.
 *
 * Run it twice: npm run example:embedded
 * The second run consumes only the new events, because the group has committed its positions.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Broker } from '#kafka_common/broker.ts';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { decodeEvent, encodeEvent } from '#kafka_common/serdes_json.ts';

const GROUP = 'examples';
/** The W3C Trace Context of the request that caused an event. This example has no request, so it is fixed. */
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Works on every broker: the code knows the seam alone. */
export const publishAndConsume = async (broker: Broker, topicName: string): Promise<void> => {
  const topic = await broker.ensureTopic(topicName, 6);
  const events = lifeOf(`ORD-${Date.now()}`);

  const messages = events.map((event) => encodeEvent(event, TRACEPARENT));
  const fates = await broker.publish(topic, messages, 5_000);
  for (const [n, fate] of fates.entries()) {
    if (fate.kind !== 'acknowledged') throw new Error(`not acknowledged, but ${fate.kind}: ${fate.detail}`);
    console.log(`published ${events[n]?.type} to partition ${fate.partition}, offset ${fate.offset}`);
  }

  const missing = new Set(events.map(({ eventId }) => eventId));
  const done = new AbortController();
  await broker.consume({
    topic: topicName,
    group: GROUP,
    memberId: 'example',
    startAt: () => broker.committed(GROUP, topicName),
    // When this resolves, and not before, the batch is committed.
    onBatch: async ({ partition, records }) => {
      for (const record of records) {
        const decoded = decodeEvent(record);
        const place = `partition ${partition}, offset ${record.offset}`;
        if (decoded.kind === 'invalid') {
          console.log(`skipped ${place}: ${decoded.reason}`);
          continue;
        }
        const { eventId, type, orderId, version } = decoded.event;
        console.log(`consumed ${type} of ${orderId}, version ${version}, from ${place}`);
        missing.delete(eventId);
      }
      if (missing.size === 0) done.abort();
    },
    signal: done.signal,
  });
};

/** An order is created and then confirmed. Amounts are integers in minor units: 7525 is EUR 75.25. */
const lifeOf = (orderId: string): OrderEvent[] => {
  const timestamp = new Date().toISOString();
  const order = {
    orderId,
    customerId: 'CUST-00042',
    orderDate: timestamp,
    items: [{ itemId: 'ITEM-001', quantity: 2, price: 7_525 }],
    totalAmount: 15_050,
    currency: 'EUR',
    status: 'new',
  } as const;
  return [
    { type: 'ORDER_CREATED', eventId: randomUUID(), timestamp, orderId, version: 1, order },
    { type: 'ORDER_STATUS_UPDATED', eventId: randomUUID(), timestamp, orderId, version: 2, status: 'confirmed' },
  ];
};

if (import.meta.main) {
  const { DATA_DIR = './data', ORDERS_TOPIC = 'examples' } = process.env;
  const broker = createEmbeddedBroker({ directory: join(DATA_DIR, 'examples') });
  await publishAndConsume(broker, ORDERS_TOPIC);
  await broker.close();
}
