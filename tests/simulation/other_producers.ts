import type { Message } from '#kafka_common/broker.ts';
import type { OrderCreated, OrderEvent, OrderStatusUpdated } from '#kafka_common/events.ts';
import type { OrderStatus } from '#kafka_common/models.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { FOREIGN_ID, loggedEvent } from './logged_event.ts';
import { isCommitted } from './partition_log.ts';
import type { Operation } from './plan.ts';
import { TOPIC, type World } from './world.ts';

/** What other producers write to the topic. */

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02';
const TIMESTAMP = '2026-01-18T12:00:00.000Z';
/** Begins the ids of orders that no client asks for: the Cart Service learns of them from the log. */
const ID_PREFIX = 'ORD-77';

type NextVersions = Extract<Operation, { kind: 'other_versions' }>;

/** How long another producer waits for an order that the Cart Service changes just now, and how often it looks. */
const PATIENCE_MS = 1_000;
const LOOK_EVERY_MS = 20;

/**
 * Writes the next versions of an order of the clients: of one that the Cart Service changes just now, if there is one soon.
 * An order that is not in the log is created.
 */
export const writeNextVersions = (world: World, operation: NextVersions, patienceMs = PATIENCE_MS): void => {
  const open = world.cartDisk.state.outbox.values().next().value?.orderId;
  if (open !== undefined || patienceMs <= 0) writeVersionsOf(world, open ?? `ORD-${operation.order + 1}`, operation);
  else world.after(LOOK_EVERY_MS, () => writeNextVersions(world, operation, patienceMs - LOOK_EVERY_MS));
};

const writeVersionsOf = (world: World, orderId: string, { statuses }: NextVersions): void => {
  const { cluster, coverage, dice } = world;
  if (cluster.describe(TOPIC) === null) return;
  coverage['versions of others'] += 1;
  const version = versionOf(world, orderId);
  // Some have not seen the newest event: what they write under its version has no effect.
  const isBehind = version > 1 && dice.happens('a producer is behind', 0.3);
  for (const message of nextVersions(world, orderId, isBehind ? version - 1 : version, statuses))
    cluster.write(TOPIC, message);
};

/** The highest version of the order in the log; 0 if there is none. */
export const versionOf = ({ cluster }: World, orderId: string): number => {
  const events = cluster.log(TOPIC).flatMap((records) => records.filter(isCommitted).map(loggedEvent));
  return Math.max(0, ...events.map((event) => (event?.orderId === orderId ? (event.version ?? 0) : 0)));
};

/** Messages with the next versions of an order. An order without versions is created first. */
export const nextVersions = (
  { dice }: World,
  orderId: string,
  after: number,
  statuses: readonly OrderStatus[],
): Message[] => {
  let version = after;
  const newId = (): string => `${FOREIGN_ID}${orderId}-${version}-${dice.between('foreign event', 0, 1e9)}`;
  const isNew = version === 0;
  if (isNew) version = 1;
  const created = isNew ? [createdBy(orderId, newId())] : [];
  const updated = statuses.map((status): OrderStatusUpdated => {
    version += 1;
    return { type: 'ORDER_STATUS_UPDATED', eventId: newId(), timestamp: TIMESTAMP, orderId, version, status };
  });
  return [...created, ...updated].map(encodeOther);
};

/** As the Cart Service encodes it, but with any version: another producer need not know the bound. */
const encodeOther = (event: OrderEvent): Message => {
  const message = encodeEvent({ ...event, version: 1 }, TRACEPARENT);
  return { ...message, value: message.value.replace('"version":1', `"version":${event.version}`) };
};

export const writeHighVersion = (world: World, operation: Extract<Operation, { kind: 'high_version' }>): void => {
  const { cluster, coverage } = world;
  if (cluster.describe(TOPIC) === null) return;
  coverage['high versions'] += 1;
  const orderId = `ORD-${operation.order + 1}`;
  const messages = nextVersions(world, orderId, versionOf(world, orderId), []);
  messages.push(...nextVersions(world, orderId, operation.version - 1, [operation.status]));
  for (const message of messages) cluster.write(TOPIC, message);
};

export const writePoison = ({ cluster }: World, order: number): void =>
  cluster.write(TOPIC, { key: `ORD-${order + 1}`, value: '{"event_type":"ORDER_CREATED"}', headers: {} });

/** Writes a status, its order later, and a second creation of that order after it. */
export const writeStatusFirst = (
  world: World,
  { order, gapMs }: Extract<Operation, { kind: 'status_first' }>,
): void => {
  const orderId = `${ID_PREFIX}${order}`;
  const status: OrderStatusUpdated = {
    type: 'ORDER_STATUS_UPDATED',
    eventId: `${FOREIGN_ID}${orderId}-status`,
    timestamp: TIMESTAMP,
    orderId,
    version: 2,
    status: 'shipped',
  };
  const created = createdBy(orderId, `${FOREIGN_ID}${orderId}-created`);
  if (world.cluster.describe(TOPIC) === null) return;
  world.cluster.write(TOPIC, encodeEvent(status, TRACEPARENT));
  const { order: first } = created;
  const second = {
    ...created,
    eventId: `${FOREIGN_ID}${orderId}-second`,
    version: 9,
    order: { ...first, customerId: 'CUST-2', status: 'cancelled' },
  } as const;
  world.after(gapMs, () => {
    world.cluster.write(TOPIC, encodeEvent(created, TRACEPARENT));
    world.cluster.write(TOPIC, encodeEvent(second, TRACEPARENT));
  });
};

const createdBy = (orderId: string, eventId: string): OrderCreated => ({
  type: 'ORDER_CREATED',
  eventId,
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
});
