import type { CartEvidence, Evidence, LogEntry, ViewEvidence } from '#tests/checker/evidence.ts';
import { FOREIGN_ID, loggedEvent } from './logged_event.ts';
import { isCommitted, type StoredRecord } from './partition_log.ts';
import { TOPIC, type World } from './world.ts';

/** Reads the evidence from the log and the stores. */
export const gather = (
  world: World,
): Pick<Evidence, 'log' | 'aborted' | 'cart' | 'view' | 'commits' | 'readyWithout'> => ({
  log: entriesOf(world, isCommitted),
  aborted: entriesOf(world, (record) => !record.isMarker && !isCommitted(record)),
  cart: cartEvidence(world),
  view: viewEvidence(world),
  commits: world.commits,
  readyWithout: world.readyWithout,
});

/** By the time of writing: once partitions are added, an order can have events in two of them. */
const entriesOf = ({ cluster }: World, isWanted: (record: StoredRecord) => boolean): LogEntry[] =>
  cluster
    .log(TOPIC)
    .flatMap((records, partition) => records.filter(isWanted).map((record) => entryOf(partition, record)))
    .toSorted((a, b) => Number(a.writtenAt) - Number(b.writtenAt));

const entryOf = (partition: number, record: StoredRecord): LogEntry => ({
  partition,
  offset: record.offset,
  writtenAt: record.writtenAt,
  event: loggedEvent(record),
  isOwn: isOwn(record),
});

/** Whether the Cart Service wrote it: others name their events otherwise, or have no headers. */
const isOwn = ({ headers }: StoredRecord): boolean => {
  const id = headers.find(([name]) => name === 'ce_id')?.[1];
  return id !== undefined && id !== null && !id.toString().startsWith(FOREIGN_ID);
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
  history: state.events.map(({ partition, offset }) => ({ partition, offset })),
});

/**
 * The orders to which a client of the Cart Service and another producer wrote at the same time, so that a version was given
 * twice. What the two services then believe of such an order is not promised.
 */
export const contestedOrders = ({ cluster }: World): ReadonlySet<string> => {
  const events = cluster
    .log(TOPIC)
    .flatMap((records) => records.filter(isCommitted).flatMap((record) => loggedEvent(record) ?? []));
  const contested = Map.groupBy(events, ({ orderId, version }) => `${orderId} ${version}`)
    .values()
    .filter((same) => same.some(({ isForeign }) => isForeign) && new Set(same.map(({ eventId }) => eventId)).size > 1)
    .map(([first]) => first?.orderId ?? '');
  return new Set(contested);
};

/** True if the view has reached the end of the log, and the cart and the view hold the same orders. */
export const isAgreed = (world: World): boolean => {
  const { cartDisk, viewDisk, cluster } = world;
  const { orders } = viewDisk.state;
  const positions = viewDisk.state.positions.get(TOPIC);
  const contested = contestedOrders(world);
  const isLevel = cluster
    .log(TOPIC)
    .every((records, partition) => records.length === (positions?.get(partition)?.next ?? 0));
  // Both services keep orders of the former topic, but each those that it knew of.
  if (world.topicMadeAgain.length > 0) return isLevel && cartDisk.state.outbox.size === 0;
  return (
    isLevel &&
    cartDisk.state.outbox.size === 0 &&
    cartDisk.state.orders.size === orders.size &&
    cartDisk.state.orders.values().every(({ orderId, version, status }) => {
      const view = orders.get(orderId)?.view;
      return contested.has(orderId) || (view?.version === version && view.status === status);
    })
  );
};
