import Type, { type TSchema } from 'typebox';
import { ACCEPTED, WRITTEN } from '#kafka_common/event_schemas.ts';
import { fromWire } from '#kafka_common/events.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { DeadLetter, EXAMPLE_DEAD_LETTER } from '#order_service/app/api/dead_letters.ts';
import manifest from '../package.json' with { type: 'json' };

/** The AsyncAPI document of the topic, made from the schemas that validate events and the code that writes them. */

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const CREATED = {
  event_id: '5f0c2b1e-7c1d-4d51-9a3e-0d6f6a0f7a11',
  event_type: 'ORDER_CREATED',
  timestamp: '2026-01-18T12:00:00.000Z',
  order_id: 'ORD-124',
  version: 1,
  order: {
    order_id: 'ORD-124',
    customer_id: 'CUST-00042',
    order_date: '2026-01-18T12:00:00.000Z',
    items: [{ item_id: 'ITEM-001', quantity: 2, price: 75.25 }],
    total_amount: 150.5,
    currency: 'EUR',
    status: 'new',
  },
};

const STATUS_UPDATED = {
  event_id: 'a81d7a52-3b9c-4f0e-8d57-6a1c2e9b4f22',
  event_type: 'ORDER_STATUS_UPDATED',
  timestamp: '2026-01-18T12:01:00.000Z',
  order_id: 'ORD-124',
  version: 2,
  status: 'confirmed',
};

const FOREIGN_CREATED = {
  event_id: 'legacy-17',
  event_type: 'ORDER_CREATED',
  timestamp: '2026-01-18T12:00:00',
  order_id: '125',
  order: { ...CREATED.order, order_id: '125', order_date: '2026-01-18', status: 'NEW' },
};

const FOREIGN_STATUS_UPDATED = {
  event_id: 'legacy-18',
  event_type: 'ORDER_STATUS_UPDATED',
  timestamp: '2026-01-18T13:01:00+01:00',
  order_id: '125',
  status: 'CONFIRMED',
};

const Key = Type.String({
  pattern: '^ORD-[0-9]{1,64}$',
  description: 'The order id. All events of one order are in one partition, in the order in which they happened',
  examples: ['ORD-124'],
});

const Text = (description: string, options: object = {}) => Type.String({ description, ...options });

/** CloudEvents 1.0, Kafka protocol binding, binary mode. */
const Headers = Type.Object(
  {
    ce_specversion: Type.Literal('1.0'),
    ce_id: Text('The `event_id`'),
    ce_type: Text('The `event_type`', { enum: Object.keys(WRITTEN) }),
    ce_source: Text('The service that wrote the event'),
    ce_subject: Text('The order id'),
    ce_time: Text('The `timestamp`', { format: 'date-time' }),
    'content-type': Type.Literal('application/json'),
    traceparent: Text('W3C Trace Context of the request that caused the event'),
    'redriven-from': Type.Optional(
      Text('Only for a redriven dead letter: its first place, as `topic/partition/offset`'),
    ),
    'redriven-proof': Type.Optional(
      Text('Only for a redriven dead letter: by it, the Order Service recognizes what it has redriven itself'),
    ),
  },
  { description: 'CloudEvents 1.0 (Kafka binding, binary mode) and W3C Trace Context, each as UTF-8' },
);

interface MessageOf {
  readonly title: string;
  readonly summary: string;
  readonly payload: TSchema;
  readonly example: object;
  readonly headers?: object;
}

const message = ({ title, summary, payload, example, headers }: MessageOf): object => ({
  title,
  summary,
  contentType: 'application/json',
  ...(headers === undefined ? {} : { headers: { $ref: '#/components/schemas/EventHeaders' } }),
  payload,
  bindings: { kafka: { key: Key } },
  examples: [{ ...(headers === undefined ? {} : { headers }), payload: example }],
});

const headersOf = (json: object): Readonly<Record<string, string>> => encodeEvent(fromWire(json), TRACEPARENT).headers;

const reference = (...names: string[]): object[] =>
  names.map((name) => ({ $ref: `#/channels/orderEvents/messages/${name}` }));

export const asyncApiDocument = (): object => ({
  asyncapi: '3.0.0',
  info: {
    title: 'Order events',
    version: manifest.version,
    description:
      'The topic that joins the Cart Service and the Order Service. It is the record of all orders and is kept forever. ' +
      'An event that is delivered twice has the same `event_id` and `version`; a consumer ignores the second one.',
    license: { name: 'MIT' },
  },
  defaultContentType: 'application/json',
  servers: {
    kafka: { host: 'localhost:9092', protocol: 'kafka', description: 'The broker that `npm run kafka` starts' },
    orderService: { host: 'localhost:8001', protocol: 'http', description: 'The service that `npm start` runs' },
  },
  channels: {
    orderEvents: {
      address: 'orders.events',
      title: 'The events of all orders',
      description:
        'The Cart Service creates it at start if it is missing, with unlimited retention (`retention.ms=-1`).',
      servers: [{ $ref: '#/servers/kafka' }],
      messages: {
        OrderCreated: { $ref: '#/components/messages/OrderCreated' },
        OrderStatusUpdated: { $ref: '#/components/messages/OrderStatusUpdated' },
        ForeignOrderCreated: { $ref: '#/components/messages/ForeignOrderCreated' },
        ForeignOrderStatusUpdated: { $ref: '#/components/messages/ForeignOrderStatusUpdated' },
      },
      bindings: { kafka: { topic: 'orders.events', partitions: 6, topicConfiguration: { 'retention.ms': -1 } } },
    },
    deadLetters: {
      address: '/dead-letters',
      title: 'Messages that could not be applied',
      description:
        'The Order Service stores them with its view, not in another topic. It stores them in the transaction that moves the position past them, so that none is lost. HTTP calls list them and publish them again.',
      servers: [{ $ref: '#/servers/orderService' }],
      messages: { DeadLetter: { $ref: '#/components/messages/DeadLetter' } },
    },
  },
  operations: {
    publishOrderEvents: {
      action: 'send',
      title: 'The Cart Service publishes',
      description:
        'With acks=all and an idempotent producer. Partitions are chosen as in the Java client (murmur2 of the key).',
      channel: { $ref: '#/channels/orderEvents' },
      messages: reference('OrderCreated', 'OrderStatusUpdated'),
    },
    applyOrderEvents: {
      action: 'receive',
      title: 'The Order Service reads',
      description:
        'It reads the events of other producers too: without `version`, with camelCase inside `order`, with unknown fields. An event that it cannot read becomes a dead letter.',
      channel: { $ref: '#/channels/orderEvents' },
      messages: reference('OrderCreated', 'OrderStatusUpdated', 'ForeignOrderCreated', 'ForeignOrderStatusUpdated'),
    },
    keepDeadLetters: {
      action: 'send',
      title: 'The Order Service stores dead letters',
      channel: { $ref: '#/channels/deadLetters' },
      messages: [{ $ref: '#/channels/deadLetters/messages/DeadLetter' }],
      bindings: { http: { method: 'GET', bindingVersion: '0.3.0' } },
    },
  },
  components: {
    schemas: { EventHeaders: Headers },
    messages: {
      OrderCreated: message({
        title: 'ORDER_CREATED',
        summary: 'An order was created. The Cart Service writes this, and consumers may rely on it',
        payload: WRITTEN.ORDER_CREATED,
        example: CREATED,
        headers: headersOf(CREATED),
      }),
      OrderStatusUpdated: message({
        title: 'ORDER_STATUS_UPDATED',
        summary: 'The status of an order changed. The Cart Service writes this, and consumers may rely on it',
        payload: WRITTEN.ORDER_STATUS_UPDATED,
        example: STATUS_UPDATED,
        headers: headersOf(STATUS_UPDATED),
      }),
      ForeignOrderCreated: message({
        title: 'ORDER_CREATED of another producer',
        summary: 'All that the Order Service accepts as this event. Names inside `order` may be camelCase too',
        payload: ACCEPTED.ORDER_CREATED,
        example: FOREIGN_CREATED,
      }),
      ForeignOrderStatusUpdated: message({
        title: 'ORDER_STATUS_UPDATED of another producer',
        summary: 'All that the Order Service accepts as this event',
        payload: ACCEPTED.ORDER_STATUS_UPDATED,
        example: FOREIGN_STATUS_UPDATED,
      }),
      DeadLetter: {
        title: 'A dead letter',
        summary: 'A message that could not be applied, with its bytes, its place and the reason',
        contentType: 'application/json',
        payload: DeadLetter,
        examples: [{ payload: EXAMPLE_DEAD_LETTER }],
      },
    },
  },
});
