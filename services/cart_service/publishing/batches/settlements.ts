import type { Topic } from '#kafka_common/broker.ts';
import type { LogPositions } from '#cart_service/log/log_positions.ts';
import {
  type CartBatch,
  type AheadEvent,
  type OutboxRow,
  type SeenPosition,
  unansweredBy,
  type UnansweredRequest,
  versionOf,
} from '#cart_service/store/cart_store.ts';

type Settled = Pick<CartBatch, 'settled' | 'ahead' | 'unanswered' | 'positions'>;

/** What acknowledged events leave to be stored. It waits for the next transaction, so it costs none of its own. */
export interface Settlements {
  /** @param answered whether every client that asked for it had its success from this acknowledgement */
  acknowledged(row: OutboxRow, position: { partition: number; offset: number }, topic: Topic, answered: boolean): void;
  readonly isEmpty: boolean;
  /** Whether there is a request among them whose repetition the store could not recognise yet. */
  readonly hasUnanswered: boolean;
  /** The offsets of acknowledged events before which others may have written, by order, until they are stored. */
  readonly ahead: ReadonlyMap<string, number>;
  /** Hands over everything. It is `stored` by its transaction, or given back if that fails. */
  take(): Settled;
  stored(settled: Settled): void;
  giveBack(settled: Settled): void;
}

/**
 * @param log learns the position of each acknowledged event
 * @param now ms since 1970
 */
export const createSettlements = (log: LogPositions, now: () => number): Settlements => {
  let settled: OutboxRow[] = [];
  let aheadEvents: AheadEvent[] = [];
  const ahead = new Map<string, number>();
  let unanswered: UnansweredRequest[] = [];
  let positions = new Map<number, SeenPosition>();

  const advance = (position: SeenPosition): void => {
    const known = positions.get(position.partition);
    if (known === undefined || known.next < position.next) positions.set(position.partition, position);
  };

  return {
    acknowledged(row, { partition, offset }, topic, answered) {
      settled.push(row);
      if (!answered) unanswered.push(...unansweredBy(row, now()));
      if (log.acknowledged(partition, offset)) advance({ partition, topicId: topic.id, next: offset + 1 });
      else {
        aheadEvents.push({ orderId: row.orderId, version: versionOf(row), offset });
        ahead.set(row.orderId, offset);
      }
    },
    ahead,
    get isEmpty() {
      return settled.length === 0;
    },
    get hasUnanswered() {
      return unanswered.length > 0;
    },
    take() {
      const taken = { settled, ahead: aheadEvents, unanswered, positions: [...positions.values()] };
      settled = [];
      aheadEvents = [];
      unanswered = [];
      positions = new Map();
      return taken;
    },
    stored(taken) {
      for (const { orderId, offset } of taken.ahead) if (ahead.get(orderId) === offset) ahead.delete(orderId);
    },
    giveBack(taken) {
      settled.push(...taken.settled);
      aheadEvents.push(...taken.ahead);
      unanswered.push(...taken.unanswered);
      taken.positions.forEach(advance);
    },
  };
};
