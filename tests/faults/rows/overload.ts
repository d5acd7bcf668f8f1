import assert from 'node:assert/strict';
import { directOrderId } from '#tests/faults/direct_events.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { reportOf } from '#tests/faults/report_of.ts';
import type { OverloadOrders, OverloadReport } from './overload_clients.ts';

const FAMILY = 7;
/** In the closed loop: enough for the next batch to be full while one is under way. In the open one: below the 4,000 that a service takes, above the requests that it lets wait. */
const CONNECTIONS = { calm: 900, storm: 3_000 };
const QUEUE_LIMIT = 1_000;
const TIMES = 3;
const KEPT = 0.8;
const RECOVERED_MS = 2_000;
const DEADLINE_MS = 5_000;
/** Beyond the deadline: the way there and back, on a machine that has no CPU to spare. */
const SLACK_MS = 1_000;

/**
 * Capacity is what a closed loop gets answered 200; then three times as much is offered, whatever the answers do. Where
 * the broker answers at once, the service's own CPU is the limit, and the clients share the machine with it: what they
 * really offered stands in the notes. Behind a broker that is far away, the way to it is.
 */
const overload = (name: string, title: string, on: Fault['on'], awayMs: number): Fault => ({
  name,
  title,
  // A claim of throughput, which a machine that is shared can neither bear out nor refute.
  rounds: { full: 3, short: 0 },
  on,
  // Of as many as the default, all would be held by fewer connections: nobody would ever be refused.
  env: { QUEUE_LIMIT: String(QUEUE_LIMIT) },
  // The clients are the load, so that what is measured is theirs alone.
  requestsPerSecond: null,

  async run(stage, round) {
    const seconds = 60;
    if (awayMs > 0) stage.proxy.trouble = { kind: 'delay', ms: awayMs };
    const firstOrder = Number(directOrderId(FAMILY, (round % 3) * 3_000_000).slice(4));
    const port = Number(new URL(stage.cart.url).port);
    const closedLoop = { port, connections: CONNECTIONS.calm, rate: null };
    // Once to warm up.
    await clients({ ...closedLoop, seconds: 3, firstOrder });
    const calm = await clients({ ...closedLoop, seconds: 5, firstOrder: firstOrder + 500_000 });
    const capacity = goodOf(calm) / calm.seconds;
    const storm = await clients({
      port,
      connections: CONNECTIONS.storm,
      rate: TIMES * capacity,
      seconds,
      firstOrder: firstOrder + 1_000_000,
    });
    const drainedMs = Math.max(0, storm.seconds - seconds) * 1_000;
    const recoveredMs = drainedMs + (await untilAnswered(stage));
    if (awayMs > 0) stage.proxy.trouble = { kind: 'none' };
    stage.healed();

    // The first second fills the queue; what is answered after the last request counts for nobody.
    const throughput = mean(storm.good.slice(1, seconds));
    const offered = storm.asked / seconds;
    stage.note(
      `capacity ${capacity.toFixed(0)} a second (p99 ${calm.p99Ms.toFixed(0)} ms); offered ${offered.toFixed(0)} (${storm.withheld} withheld): ` +
        `${throughput.toFixed(0)} a second answered 200 (p99 ${storm.p99Ms.toFixed(0)} ms), worst answer ` +
        `${storm.worstMs.toFixed(0)} ms, recovered after ${recoveredMs.toFixed(0)} ms; ${JSON.stringify(storm.answers)}`,
    );
    const answered = Object.values(storm.answers).reduce((sum, n) => sum + n, 0);
    assert.equal(answered, storm.asked, 'every request is answered');
    assert.ok(storm.worstMs < DEADLINE_MS + SLACK_MS, `an answer took ${storm.worstMs.toFixed(0)} ms`);
    assert.ok(throughput > KEPT * capacity, `${throughput.toFixed(0)} of ${capacity.toFixed(0)} a second are left`);
    assert.ok(recoveredMs < RECOVERED_MS, `it took ${recoveredMs.toFixed(0)} ms to recover`);
    const refused = Object.keys(storm.answers).filter((answer) => !answer.startsWith('200'));
    for (const answer of refused) assert.match(answer, /^503 (ProducerQueueFull|KafkaTimeout) /);
  },
});

const AWAY_MS = 100;

export const overloadRows: readonly Fault[] = [
  overload('overload', 'overload at 3 times capacity', { broker: 'kafka' }, 0),
  overload(
    'overload-far-broker',
    `overload at 3 times capacity, with the broker ${AWAY_MS} ms away`,
    { broker: 'kafka', proxied: true },
    AWAY_MS,
  ),
];

const CLIENTS = new URL('overload_clients.ts', import.meta.url);
const OVER_MS = 30_000;

const clients = (orders: OverloadOrders): Promise<OverloadReport> =>
  reportOf(CLIENTS, orders, orders.seconds * 1_000 + OVER_MS);

const goodOf = ({ answers }: OverloadReport): number => answers['200'] ?? 0;

const mean = (numbers: readonly number[]): number =>
  // A second without any has no entry.
  Array.from(numbers, (n) => n ?? 0).reduce((sum, n) => sum + n, 0) / Math.max(1, numbers.length);

/** How long it takes, once all of the storm is answered, until a write is answered 200. */
const untilAnswered = async ({ cart }: Stage): Promise<number> => {
  const started = performance.now();
  for (let n = 0; ; n++) {
    const body = JSON.stringify({ order_id: directOrderId(FAMILY + 1, Date.now() % 10_000_000), number_of_items: 1 });
    const headers = { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(20_000);
    const { status } = await fetch(`${cart.url}/create-order`, { method: 'POST', body, headers, signal });
    if (status === 200 || n === 100) return performance.now() - started;
  }
};
