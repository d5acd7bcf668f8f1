import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '#service_common/reason_of.ts';
import { ORDER_STATUSES } from '#kafka_common/models.ts';
import { check } from '#tests/checker/check.ts';
import type { ClientAnswer, ClientRequest, Exchange, Evidence } from '#tests/checker/evidence.ts';
import { readLog } from '#tests/faults/collect.ts';
import { directOrderId } from '#tests/faults/direct_events.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { withoutSignals } from './needs_signals.ts';

/**
 * Clients as an adversary makes them: many on few orders, with keys and without, which cut connections and repeat what
 * failed, while the broker or the service fails.
 */

const FAMILY = 14;
const CLIENTS = 20;
/** The orders that the clients race for at one time, and for how long. After it they race for new ones. */
const ORDERS = 4;
const RACE_MS = 1_500;
const RACES = 6;
const ANSWERED_MS = 20_000;
const CLOCK_MS = 5;

/** Chances. */
const KEYED = 0.4;
const CUT = 0.1;
const CREATE = 0.35;
const REPEATED = 0.8;
const MOST_REPEATS = 6;

type Write = Exclude<ClientRequest, { kind: 'read' }>;

const FAULTS: readonly ((stage: Stage) => Promise<void>)[] = [
  async ({ kafka: [kafka] }) => {
    await kafka?.pause();
    await sleep(3_000);
    await kafka?.resume();
  },
  async ({ kafka: [kafka] }) => {
    await kafka?.kill();
    await sleep(1_000);
    await kafka?.restart();
  },
  async ({ cart }) => {
    await cart.kill();
    await cart.start();
  },
  // Stopped, and killed while it stands still: clients repeat what nobody has answered.
  async ({ cart, kafka: [kafka] }) => {
    await kafka?.pause();
    await sleep(1_500);
    await cart.kill();
    await kafka?.resume();
    await cart.start();
  },
  async ({ cart }) => {
    await cart.stop();
    await cart.start();
  },
];

const racingClients: Fault = {
  name: 'racing-clients',
  title: `${CLIENTS} clients race for ${ORDERS} orders at a time, cut connections and repeat, during every fault`,
  rounds: { full: 20, short: 2 },
  on: { broker: 'kafka' },
  requestsPerSecond: 100,
  cannotRun: withoutSignals,

  async run(stage, round) {
    const exchanges: Exchange[] = [];
    const racing = (async () => {
      for (let race = 0; race < RACES; race++) {
        const first = (round * RACES + race) * ORDERS;
        const ids = Array.from({ length: ORDERS }, (_, n) => directOrderId(FAMILY, first + n));
        const until = performance.now() + RACE_MS;
        await Promise.all(Array.from({ length: CLIENTS }, () => client(stage, ids, until, exchanges)));
      }
    })();
    await sleep(RACE_MS / 2);
    await FAULTS[round % FAULTS.length]?.(stage);
    await racing;
    stage.healed();
    await stage.agreed();

    const ids = new Set(exchanges.map(({ request }) => request.orderId));
    const { entries } = await readLog(stage.broker, stage.topic);
    const violations = check({
      ...NOTHING,
      exchanges,
      log: entries.filter(({ event }) => event !== null && ids.has(event.orderId)),
    });
    assert.deepEqual(violations.map(({ story }) => story).slice(0, 3), [], `${violations.length} violations`);
    const outcomes = Map.groupBy(exchanges, ({ answer }) => answer?.outcome ?? answer?.status ?? 'no answer');
    stage.note([...outcomes].map(([outcome, { length }]) => `${outcome}: ${length}`).join(', '));
    const answered = exchanges.filter(({ answer }) => answer !== null);
    assert.ok(answered.length > 0, 'no request was answered');
  },
};

export const racingClientRows: readonly Fault[] = [racingClients];

/** The rest of the evidence: that of the whole row is checked at its end. */
const NOTHING: Evidence = {
  exchanges: [],
  log: [],
  cart: null,
  view: null,
  processes: [],
  heals: [],
  commits: [],
  limits: {
    answerMs: ANSWERED_MS,
    first200Ms: Infinity,
    agreeMs: Infinity,
    residentBytes: Infinity,
    clockMs: CLOCK_MS,
  },
};

const client = async (stage: Stage, ids: readonly string[], until: number, exchanges: Exchange[]): Promise<void> => {
  while (performance.now() < until) {
    const request = nextRequest(stage, ids);
    for (let attempt = 0; attempt <= MOST_REPEATS; attempt++) {
      const exchange = await ask(stage, request);
      exchanges.push(exchange);
      const failed = exchange.answer === null || exchange.answer.status === 503;
      if (!failed || performance.now() > until || stage.random() > REPEATED) break;
      await sleep(20 + stage.random() * 200);
    }
    await sleep(stage.random() * 20);
  }
};

const nextRequest = (stage: Stage, ids: readonly string[]): Write => {
  const pick = <T>(of: readonly [T, ...T[]] | readonly T[]): T => of[Math.floor(stage.random() * of.length)] as T;
  const orderId = pick(ids);
  const key = stage.random() < KEYED ? `race-${Math.floor(stage.random() * 2 ** 48).toString(36)}` : null;
  if (stage.random() >= CREATE) return { kind: 'update', orderId, status: pick(ORDER_STATUSES), key };
  return { kind: 'create', orderId, body: `{"order_id":"${orderId}","number_of_items":${pick([1, 2])}}`, key };
};

const ask = async ({ cart, random }: Stage, request: Write): Promise<Exchange> => {
  const isCreate = request.kind === 'create';
  const askedAt = performance.now();
  const signal = AbortSignal.timeout(random() < CUT ? 1 + Math.floor(random() * 20) : ANSWERED_MS);
  try {
    const response = await fetch(`${cart.url}${isCreate ? '/create-order' : '/update-order'}`, {
      method: isCreate ? 'POST' : 'PUT',
      headers: { 'content-type': 'application/json', ...(request.key != null && { 'idempotency-key': request.key }) },
      body: isCreate ? (request.body ?? '') : JSON.stringify({ order_id: request.orderId, status: request.status }),
      signal,
    });
    const answer = await answerOf(response);
    return { request, askedAt, answer, endedAt: performance.now() };
  } catch (error) {
    const refusedConnection = reasonOf((error as Error).cause ?? error).includes('ECONNREFUSED');
    return { request, askedAt, answer: null, endedAt: performance.now(), refusedConnection };
  }
};

const answerOf = async (response: Response): Promise<ClientAnswer> => {
  const { code = null, outcome = null } = (await response.json()) as { code?: string; outcome?: string };
  return { status: response.status, code, outcome };
};
