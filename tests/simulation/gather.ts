import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { CartEvidence, Evidence, LogEntry, LoggedEvent, ViewEvidence } from '#tests/checker/evidence.ts';
import type { StoredRecord } from './cluster.ts';
import { TOPIC, type World } from './world.ts';

/** Reads the evidence from the log and the stores. */
export const gather = (world: World): Pick<Evidence, 'log' | 'cart' | 'view' | 'commits'> => ({
  log: world.cluster.log(TOPIC).flatMap((records, partition) => records.map((record) => entryOf(partition, record))),
  cart: cartEvidence(world),
  view: viewEvidence(world),
  commits: world.commits,
});

const entryOf = (partition: number, record: StoredRecord): LogEntry => ({
  partition,
  offset: record.offset,
  writtenAt: record.writtenAt,
  event: loggedEvent(record),
});

const loggedEvent = (record: StoredRecord): LoggedEvent | null => {
  const decoded = decodeEvent(record);
  if (decoded.kind === 'invalid') return null;
  const { event } = decoded;
  const { eventId, orderId, version } = event;
  return event.type === 'ORDER_CREATED'
    ? { eventId, orderId, version, status: event.order.status, order: event.order }
    : { eventId, orderId, version, status: event.status, order: null };
};

const cartEvidence = ({ cartDisk: { state } }: World): CartEvidence => ({
  orders: [...state.orders.values()],
  outbox: [...state.outbox.values()].map(({ orderId, eventId }) => ({ orderId, eventId })),
});

const viewEvidence = ({ viewDisk: { state } }: World): ViewEvidence => ({
  orders: Array.from(state.orders.values(), ({ view: { orderId, version, status }, order }) => ({
    orderId,
    version,
    status,
    order,
  })),
  listed: [...state.orders.keys()],
  pending: Array.from(state.pending.values(), ({ orderId, version, status }) => ({ orderId, version, status })),
  deadLetters: state.deadLetters.map(({ partition, offset }) => ({ partition, offset })),
});

/** True if the view has reached the end of the log, and the cart and the view hold the same orders. */
export const isAgreed = ({ cartDisk, viewDisk, cluster }: World): boolean => {
  const { orders } = viewDisk.state;
  const positions = viewDisk.state.positions.get(TOPIC);
  return (
    cartDisk.state.outbox.size === 0 &&
    cartDisk.state.orders.size === orders.size &&
    cartDisk.state.orders.values().every(({ orderId, version, status }) => {
      const view = orders.get(orderId)?.view;
      return view?.version === version && view.status === status;
    }) &&
    cluster.log(TOPIC).every((records, partition) => records.length === (positions?.get(partition)?.next ?? 0))
  );
};
