/**
 * The exercise as it is often written in JavaScript: Express and kafkajs, and each request awaits its own send. It has
 * no store, so it forgets what it has answered.
 */
import { randomUUID } from 'node:crypto';
import express from 'express';
import { Kafka, logLevel } from 'kafkajs';

const kafka = new Kafka({ brokers: [process.env.KAFKA_BOOTSTRAP_SERVERS], logLevel: logLevel.ERROR });
const producer = kafka.producer({ idempotent: true });
await producer.connect();

const newOrder = (orderId, count) => {
  const items = Array.from({ length: count }, (_, n) => ({ item_id: `ITEM-00${n}`, quantity: 2, price: 75.5 }));
  return {
    order_id: orderId,
    customer_id: 'CUST-00042',
    order_date: new Date().toISOString(),
    items,
    total_amount: items.reduce((sum, { quantity, price }) => sum + quantity * price, 0),
    currency: 'USD',
    status: 'new',
  };
};

const app = express();
app.use(express.json());
app.post('/create-order', async (request, response) => {
  const { order_id: id, number_of_items: count } = request.body;
  if (typeof id !== 'string' || !/^(ORD-)?[0-9]{1,64}$/.test(id) || !Number.isInteger(count) || count < 1) {
    response.status(400).json({ error: 'order_id or number_of_items is invalid' });
    return;
  }
  const orderId = `ORD-${id}`;
  const event = {
    event_id: randomUUID(),
    event_type: 'ORDER_CREATED',
    timestamp: new Date().toISOString(),
    order_id: orderId,
    order: newOrder(orderId, count),
  };
  await producer.send({
    topic: process.env.ORDERS_TOPIC,
    acks: -1,
    messages: [{ key: orderId, value: JSON.stringify(event) }],
  });
  response.json({ message: 'order created and published successfully', orderId });
});

const server = app.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
