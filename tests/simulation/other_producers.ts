import type { OrderCreated, OrderStatusUpdated } from '#kafka_common/events.ts';
import { decodeEvent, encodeEvent } from '#kafka_common/serdes_json.ts';
import type { Operation } from './plan.ts';
import { TOPIC, type World } from './world.ts';

/** What other producers write to the topic. */

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02';
const TIMESTAMP = '2026-01-18T12:00:00.000Z';
/** Begins the ids of orders that no client asks for: the Cart Service learns of them from the log. */
const ID_PREFIX = 'ORD-77';

/** Begins the ids of their events. */
export const FOREIGN_ID = 'foreign-';

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
  const { cluster, coverage } = world;
  if (cluster.describe(TOPIC) === null) return;
  const events = cluster.log(TOPIC).flat().map(decodeEvent);
  const versions = events.flatMap((decoded) =>
    decoded.kind === 'event' && decoded.event.orderId === orderId ? (decoded.event.version ?? 0) : [],
  );
  let version = Math.max(0, ...versions);
  coverage['versions of others'] += 1;
  if (version === 0)
    cluster.write(TOPIC, encodeEvent(createdBy(orderId, `${FOREIGN_ID}${orderId}-${++version}`), TRACEPARENT));
  for (const status of statuses) {
    version += 1;
    const eventId = `${FOREIGN_ID}${orderId}-${version}-${world.time.now}`;
    cluster.write(
      TOPIC,
      encodeEvent(
        { type: 'ORDER_STATUS_UPDATED', eventId, timestamp: TIMESTAMP, orderId, version, status },
        TRACEPARENT,
      ),
    );
  }
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
