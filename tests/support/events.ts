import type { Batch, LogRecord } from '#kafka_common/broker.ts';
import type { OrderCreated, OrderEvent, OrderStatusUpdated } from '#kafka_common/events.ts';
import type { Order, OrderStatus } from '#kafka_common/models.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import type { AppliedBatch, PositionStep, ViewWriter } from '#order_service/consumer_db.ts';

/** Events for tests: valid, with the changes that a test gives. */

export const anOrder = (orderId: string, changes: Partial<Order> = {}): Order => ({
  orderId,
  customerId: 'CUST-00042',
  orderDate: '2026-01-18T12:00:00.000Z',
  items: [{ itemId: 'ITEM-001', quantity: 2, price: 7_500 }],
  totalAmount: 15_000,
  currency: 'USD',
  status: 'new',
  ...changes,
});

type Envelope = Pick<OrderCreated, 'eventId' | 'timestamp' | 'orderId' | 'version'>;

const envelope = (orderId: string, version: number | null, eventId: string): Envelope => ({
  eventId,
  timestamp: '2026-01-18T12:00:00.000Z',
  orderId,
  version,
});

export const created = (
  orderId: string,
  version: number | null = 1,
  eventId = `created-${orderId}-${version}`,
  order: Partial<Order> = {},
): OrderCreated => ({
  ...envelope(orderId, version, eventId),
  type: 'ORDER_CREATED',
  order: anOrder(orderId, order),
});

export const statusUpdated = (
  orderId: string,
  version: number | null,
  status: OrderStatus,
  eventId = `${status}-${orderId}-${version}`,
): OrderStatusUpdated => ({ ...envelope(orderId, version, eventId), type: 'ORDER_STATUS_UPDATED', status });

/** A record of the log: an event, or any text. */
export const record = (content: OrderEvent | string, changes: Partial<LogRecord> = {}): LogRecord => {
  const { key, value } = typeof content === 'string' ? { key: 'ORD-0', value: content } : encodeEvent(content, '');
  return {
    offset: 0,
    timestamp: 1_768_737_600_000,
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: [],
    ...changes,
  };
};

/** A batch with records from the offset `from` on. The partition holds no more. */
export const batchOf = (partition: number, from: number, contents: readonly (OrderEvent | string)[]): Batch => ({
  topic: { name: 'orders.events', id: 'topic-1', partitions: 6 },
  partition,
  records: contents.map((content, n) => record(content, { offset: from + n })),
  next: from + contents.length,
  end: from + contents.length,
});

/** A step of partition 0 over its first record, with the changes that a test gives. */
export const aStep = (changes: Partial<PositionStep> = {}): PositionStep => ({
  topic: 'orders.events',
  partition: 0,
  topicId: 'topic-1',
  from: null,
  next: 1,
  ...changes,
});

/** A transaction without effect, with the changes that a test gives. */
export const anAppliedBatch = (changes: Partial<AppliedBatch> = {}): AppliedBatch => ({
  positions: [aStep()],
  views: [],
  orders: [],
  unversionedEventIds: [],
  history: [],
  deadLetters: [],
  redriven: [],
  basis: null,
  ...changes,
});

/** Applies a batch from the positions that the store has now. */
export const applyNext = async (db: ViewWriter, batch: AppliedBatch): Promise<void> => {
  const positions = await Promise.all(
    batch.positions.map(async (step) => {
      const { topic, partition, topicId } = step;
      const stored = (await db.positions(topic)).find((p) => p.partition === partition && p.topicId === topicId);
      return { ...step, from: stored?.next ?? null };
    }),
  );
  await db.applyBatch({ ...batch, positions });
};
