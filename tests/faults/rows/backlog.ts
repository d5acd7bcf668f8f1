import type { Message } from '#kafka_common/broker.ts';
import type { OrderStatus } from '#kafka_common/models.ts';
import { residentMemory } from '#tests/support/resident_memory.ts';
import { directOrderId, historyOf, publishAll, toMessage } from '#tests/faults/direct_events.ts';
import type { Fault } from '#tests/faults/fault.ts';
import { untilViewHasAll } from '#tests/faults/stored_view.ts';

const FAMILY = 3;
/** A create and nine statuses. */
const STATUSES: readonly OrderStatus[] = [
  'pending',
  'confirmed',
  'processing',
  'dispatched',
  'processing',
  'dispatched',
  'shipped',
  'delivered',
  'completed',
];
const EVENTS_OF_AN_ORDER = STATUSES.length + 1;
/** Histories that are written in parallel, so that other events come between the events of one order. */
const SIDE_BY_SIDE = 1_000;
/** The longest time to catch up with a million events. */
const CAUGHT_UP_MS = 300_000;

const backlog: Fault = {
  name: 'backlog',
  title: 'order service down while 1,000,000 events arrive, then started',
  rounds: { full: 1, short: 1 },
  on: { broker: 'kafka' },
  // The machine is busy enough with the backlog.
  requestsPerSecond: 50,

  async run(stage, round) {
    const events = stage.short ? 100_000 : 1_000_000;
    await stage.order.stop();
    const writing = performance.now();
    await publishAll(stage.broker, stage.topic, histories(round, events / EVENTS_OF_AN_ORDER));
    const started = performance.now();
    await stage.order.start();
    await untilViewHasAll(stage, CAUGHT_UP_MS);
    const seconds = (performance.now() - started) / 1_000;
    // The ten seconds until cart and view agree begin only now, because a backlog takes long.
    stage.healed();
    const peak = Math.round(residentMemory(stage.order.pid).peak / 1e6);
    stage.note(
      `${events} events written in ${((started - writing) / 1_000).toFixed(1)} s, applied in ${seconds.toFixed(1)} s ` +
        `(${Math.round(events / seconds)} per second), peak resident memory ${peak} MB`,
    );
  },
};

function* histories(round: number, orders: number): Generator<Message> {
  for (let from = 0; from < orders; from += SIDE_BY_SIDE) {
    const count = Math.min(SIDE_BY_SIDE, orders - from);
    const side = Array.from({ length: count }, (_, n) =>
      historyOf(directOrderId(FAMILY, round * 1_000_000 + from + n), STATUSES),
    );
    for (let event = 0; event < EVENTS_OF_AN_ORDER; event++) {
      yield* side.flatMap((history) => history.slice(event, event + 1).map(toMessage));
    }
  }
}

export const backlogRows: readonly Fault[] = [backlog];
