import assert from 'node:assert/strict';
import { directOrderId } from '#tests/faults/direct_events.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { reportOf } from '#tests/faults/report_of.ts';
import type { OverloadJob, OverloadReport } from './overload_clients.ts';

const FAMILY = 7;
/**
 * `calm`, a closed loop: enough to fill the next batch while one is under way. `storm`, an open loop: fewer than the
 * 4,000 connections that a service accepts, more than the requests that it queues.
 */
const CONNECTIONS = { calm: 900, storm: 3_000 };
const QUEUE_LIMIT = 1_000;
const TIMES = 3;
const KEPT = 0.8;
const RECOVERED_MS = 2_000;
const DEADLINE_MS = 5_000;
/** Added to the deadline, for the network on a machine without spare CPU. */
const SLACK_MS = 1_000;

/**
 * Capacity is the rate of 200s in a closed loop. Then an open loop offers three times as much. With a near broker the
 * limit is the service's CPU, which the clients share; the notes have the rate that they really offered. With a far
 * broker the limit is the network.
 */
const overload = (name: string, title: string, on: Fault['on'], awayMs: number): Fault => ({
  name,
  title,
  // Not in the short campaign: a shared machine can neither prove nor disprove a throughput.
  rounds: { full: 3, short: 0 },
  on,
  // The default limit is above the number of connections: no request would ever be refused.
  env: { QUEUE_LIMIT: String(QUEUE_LIMIT) },
  // No other load, so that only these clients are measured.
  requestsPerSecond: null,

  async run(stage, round) {
    const seconds = 60;
    if (awayMs > 0) stage.proxy.trouble = { kind: 'delay', ms: awayMs };
    const firstOrder = Number(directOrderId(FAMILY, (round % 3) * 3_000_000).slice(4));
    const port = Number(new URL(stage.cart.url).port);
    const closedLoop = { port, connections: CONNECTIONS.calm, rate: null };
    // To warm up.
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

    // Without the first second, which fills the queue, and without answers after the last request.
    const throughput = mean(storm.good.slice(1, seconds));
    const offered = storm.asked / seconds;
    stage.note(
      `capacity ${capacity.toFixed(0)} per second (p99 ${calm.p99Ms.toFixed(0)} ms); offered ${offered.toFixed(0)} (${storm.withheld} not sent): ` +
        `${throughput.toFixed(0)} per second answered 200 (p99 ${storm.p99Ms.toFixed(0)} ms), worst answer ` +
        `${storm.worstMs.toFixed(0)} ms, recovered after ${recoveredMs.toFixed(0)} ms; ${JSON.stringify(storm.answers)}`,
    );
    const answered = Object.values(storm.answers).reduce((sum, n) => sum + n, 0);
    assert.equal(answered, storm.asked, 'every request is answered');
    assert.ok(storm.worstMs < DEADLINE_MS + SLACK_MS, `an answer took ${storm.worstMs.toFixed(0)} ms`);
    assert.ok(
      throughput > KEPT * capacity,
      `throughput fell from ${capacity.toFixed(0)} to ${throughput.toFixed(0)} per second`,
    );
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

const clients = (job: OverloadJob): Promise<OverloadReport> => reportOf(CLIENTS, job, job.seconds * 1_000 + OVER_MS);

const goodOf = ({ answers }: OverloadReport): number => answers['200'] ?? 0;

const mean = (numbers: readonly number[]): number =>
  // A second without a 200 has no entry.
  Array.from(numbers, (n) => n ?? 0).reduce((sum, n) => sum + n, 0) / Math.max(1, numbers.length);

/** The time in ms from the last answer of the storm until a write is answered 200. */
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
