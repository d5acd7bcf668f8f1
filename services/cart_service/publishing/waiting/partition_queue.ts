import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import type { Waiting } from './waiting_room.ts';

/** The work of one partition: the requests that no batch has taken yet, and the stored events whose fate is open. */
export interface PartitionQueue {
  readonly partition: number;
  /** True if there is neither a request nor an event. */
  readonly isEmpty: boolean;
  readonly hasRequests: boolean;
  /** Stored events not known to be acknowledged, in publishing order: in flight, or left by an earlier batch. */
  readonly unsettled: readonly OutboxRow[];
  enqueue(waiting: Waiting): void;
  /**
   * Offers the requests in order of arrival. One leaves the queue if `takes` returns true for it, or if it has its
   * answer already: then it is not offered.
   */
  offer(takes: (waiting: Waiting) => boolean): void;
  /** Removes and returns all requests. */
  takeAll(): readonly Waiting[];
  /** Adds an event that is in the store and not in the log yet. */
  stored(row: OutboxRow): void;
  /** Removes events that are acknowledged or taken back. */
  settled(rows: ReadonlySet<OutboxRow>): void;
}

/** @param left the events that the last process left, in publishing order */
export const createPartitionQueue = (partition: number, left: readonly OutboxRow[]): PartitionQueue => {
  let requests: Waiting[] = [];
  let unsettled = [...left];
  return {
    partition,
    get isEmpty() {
      return requests.length + unsettled.length === 0;
    },
    get hasRequests() {
      return requests.length > 0;
    },
    get unsettled() {
      return unsettled;
    },
    enqueue(waiting) {
      requests.push(waiting);
    },
    offer(takes) {
      requests = requests.filter((waiting) => !waiting.answered && !takes(waiting));
    },
    takeAll() {
      const all = requests;
      requests = [];
      return all;
    },
    stored(row) {
      unsettled.push(row);
    },
    settled(rows) {
      unsettled = unsettled.filter((row) => !rows.has(row));
    },
  };
};
