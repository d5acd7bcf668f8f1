import type { CartEvidence, Evidence, LogEntry, LoggedEvent, ViewEvidence } from '#tests/checker/evidence.ts';
import { FOREIGN_ID, loggedEvent } from './logged_event.ts';
import { isCommitted, type StoredRecord } from './partition_log.ts';
import { TOPIC, type World } from './world.ts';

/** Reads the evidence from the log and the stores. */
export const gather = (world: World): Omit<Evidence, 'exchanges' | 'processes' | 'heals' | 'limits'> => ({
  log: entriesOf(world, isCommitted),
  aborted: entriesOf(world, (record) => !record.isMarker && !isCommitted(record)),
  cart: cartEvidence(world),
  view: viewEvidence(world),
  commits: world.commits,
  readyWithout: world.readyWithout,
  planningFaults: world.planningFaults,
  redrives: world.redrives,
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

/** The orders with a version that was given twice, once at least by another producer. */
export const contestedOrders = (world: World): ReadonlySet<string> => new Set(contestsIn(world).map(orderOf));

/** Those of them where it happened in two partitions: which event came first depends on the reader. */
export const contestedAcrossPartitions = (world: World): ReadonlySet<string> =>
  new Set(
    contestsIn(world)
      .filter((same) => new Set(same.map(({ partition }) => partition)).size > 1)
      .map(orderOf),
  );

interface Contender {
  readonly partition: number;
  readonly event: LoggedEvent;
}

const orderOf = ([first]: readonly Contender[]): string => first?.event.orderId ?? '';

const contestsIn = ({ cluster }: World): Contender[][] => {
  const all = cluster.log(TOPIC).flatMap((records, partition) =>
    records.filter(isCommitted).flatMap((record) => {
      const event = loggedEvent(record);
      return event === null ? [] : [{ partition, event }];
    }),
  );
  return [...Map.groupBy(all, ({ event }) => `${event.orderId} ${event.version}`).values()].filter(
    (same) => same.some(({ event }) => event.isForeign) && new Set(same.map(({ event }) => event.eventId)).size > 1,
  );
};

/** True if the view has reached the end of the log, and the cart and the view hold the same orders, also pending ones. */
export const isAgreed = (world: World): boolean => {
  const { cartDisk, viewDisk, cluster } = world;
  const { orders, pending } = viewDisk.state;
  const views = new Map([...orders].map(([orderId, { view }]) => [orderId, view]));
  for (const view of pending.values()) views.set(view.orderId, view);
  const positions = viewDisk.state.positions.get(TOPIC);
  const contested = contestedAcrossPartitions(world);
  const isLevel = cluster
    .log(TOPIC)
    .every((records, partition) => records.length === (positions?.get(partition)?.next ?? 0));
  // Both services keep orders of the former topic, but each those that it knew of.
  const isJudged = (orderId: string): boolean => !world.formerOrders.has(orderId);
  const inCart = [...cartDisk.state.orders.values()].filter(({ orderId }) => isJudged(orderId));
  return (
    isLevel &&
    cartDisk.state.outbox.size === 0 &&
    inCart.length === [...views.keys()].filter(isJudged).length &&
    inCart.every(({ orderId, version, status }) => {
      const view = views.get(orderId);
      return contested.has(orderId) || (view?.version === version && view.status === status);
    })
  );
};
