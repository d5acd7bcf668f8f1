import type { Order, OrderStatus } from '#kafka_common/models.ts';
import type { LoggedEvent } from './evidence.ts';

/** The state of one order after its events in the log. */
export interface Folded {
  /** The order as created; null if only statuses came. */
  readonly order: Order | null;
  /** 0 if no event had a version. */
  readonly version: number;
  readonly status: OrderStatus;
}

/**
 * Folds one order's events. If every event has a version, the highest version gives the status, and the sequence of
 * arrival does not matter. Otherwise events count as they arrive, each event id once. This is deliberately not the
 * product's fold, because it must judge that one.
 */
export const fold = (all: readonly LoggedEvent[]): Folded => {
  const creation = all.find((event) => event.order !== null);
  const order = creation?.order ?? null;
  // An order is created once: a later creation counts for nothing, whatever its version.
  const events = all.filter((event) => event.order === null || event === creation);
  const version = Math.max(0, ...events.map((event) => event.version ?? 0));
  return { order, version, status: events.every(isVersioned) ? statusAt(events, version) : statusByArrival(events) };
};

const isVersioned = ({ version }: LoggedEvent): boolean => version !== null;

const statusAt = (events: readonly LoggedEvent[], version: number): OrderStatus =>
  events.find((event) => event.version === version)?.status ?? 'new';

const statusByArrival = (events: readonly LoggedEvent[]): OrderStatus => {
  const seen = new Set<string>();
  let highest = 0;
  let status: OrderStatus | null = null;
  for (const event of events) {
    const known = event.version === null ? seen.has(event.eventId) : event.version <= highest;
    seen.add(event.eventId);
    highest = Math.max(highest, event.version ?? 0);
    // A create is always the oldest event of an order, so a status that came before it stays.
    if (!known && (event.order === null || status === null)) status = event.status;
  }
  return status ?? 'new';
};
