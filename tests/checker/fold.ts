import type { Order, OrderStatus } from '#kafka_common/models.ts';
import type { LoggedEvent } from './evidence.ts';

/** What the log says of one order. */
export interface Folded {
  /** As created; null where only statuses of it came. */
  readonly order: Order | null;
  /** 0 where no event had one. */
  readonly version: number;
  readonly status: OrderStatus;
}

/**
 * The fold of one order's events. Where every event has a version, the highest tells the status and the order of arrival
 * does not matter. Events without one count as they arrive, each event id once. Written apart from the product's own
 * fold, which is what it is there to judge.
 */
export const fold = (events: readonly LoggedEvent[]): Folded => {
  const order = events.find((event) => event.order !== null)?.order ?? null;
  const version = Math.max(0, ...events.map((event) => event.version ?? 0));
  return { order, version, status: events.every(isVersioned) ? ofVersion(events, version) : asArrived(events) };
};

const isVersioned = ({ version }: LoggedEvent): boolean => version !== null;

const ofVersion = (events: readonly LoggedEvent[], version: number): OrderStatus =>
  events.find((event) => event.version === version)?.status ?? 'new';

const asArrived = (events: readonly LoggedEvent[]): OrderStatus => {
  const seen = new Set<string>();
  let highest = 0;
  let status: OrderStatus | null = null;
  for (const event of events) {
    const known = event.version === null ? seen.has(event.eventId) : event.version <= highest;
    seen.add(event.eventId);
    highest = Math.max(highest, event.version ?? 0);
    // Nothing happens to an order before it is made: a status that is there already is newer than a create.
    if (!known && (event.order === null || status === null)) status = event.status;
  }
  return status ?? 'new';
};
