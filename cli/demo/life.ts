import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderStatus } from '#kafka_common/models.ts';
import { type DemoClient, GaveUp } from './client.ts';
import type { OrderPlan, Step } from './plan.ts';
import { countIn, surprise, type Tally } from './tally.ts';
import { call, NoAnswer, type Service } from '../service_client.ts';

export interface LifeParts {
  readonly client: DemoClient;
  readonly order: Service;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

/** How long it may take, in seconds, until an order that was answered 200 can be read. */
const READABLE_S = 10;
const LOOK_MS = 100;

interface Details {
  readonly order: { readonly status: string };
}

/**
 * Plays one order from its create to the end of its life, and counts everything it sees.
 * @param dueAt when its first request must be sent, in ms of `performance.now`
 */
export const liveOrder = async (plan: OrderPlan, dueAt: number, parts: LifeParts): Promise<void> => {
  const { tally, signal } = parts;
  tally.started += 1;
  try {
    let status: OrderStatus | null = null;
    for (const step of plan.steps) {
      await sleep(step.pauseMs, undefined, { signal });
      if (!(await take(step, plan, parts))) return;
      if (step.status === 'new' && !(await noteCreated(plan, dueAt, parts))) return;
      status = step.status ?? status;
    }
    if (status !== null) await noteEnd(plan, status, parts);
  } catch (error) {
    if (signal.aborted) return;
    // The Order Service failed, or the demo itself did: the other orders go on.
    surprise(tally, `${plan.orderId}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** @returns whether the life can go on */
const take = async (step: Step, { orderId }: OrderPlan, { client, tally }: LifeParts): Promise<boolean> => {
  const { request, refusal } = step;
  const what = `${request.method} ${request.path} of ${orderId}`;
  try {
    const answers = await client.send(request, step.manner);
    const expected = refusal === null ? '200' : `${refusal.status} ${refusal.code}`;
    const others = answers
      .map(({ status, code }) => (code === null ? String(status) : `${status} ${code}`))
      .filter((answer) => answer !== expected);
    for (const other of others) surprise(tally, `${what} was answered ${other} instead of ${expected}`);
    if (refusal !== null && others.length === 0) countIn(tally.refused, expected);
    return others.length === 0;
  } catch (error) {
    if (!(error instanceof GaveUp)) throw error;
    surprise(tally, `${what} was given up: ${error.message}`);
    return false;
  }
};

/** @returns whether the order can be read */
const noteCreated = async ({ orderId }: OrderPlan, dueAt: number, parts: LifeParts): Promise<boolean> => {
  const { tally } = parts;
  const answeredAt = performance.now();
  tally.created += 1;
  tally.create.record(microseconds(answeredAt - dueAt));
  const { status } = await read(orderId, parts);
  if (status === 200) {
    tally.readable.record(microseconds(performance.now() - answeredAt));
    return true;
  }
  surprise(tally, `${orderId} cannot be read ${READABLE_S} s after its 200 (${status})`);
  return false;
};

const noteEnd = async ({ orderId }: OrderPlan, expected: OrderStatus, parts: LifeParts): Promise<void> => {
  const deadline = performance.now() + READABLE_S * 1_000;
  for (;;) {
    const { body } = await read(orderId, parts);
    const status = body?.order?.status;
    if (status === expected || performance.now() > deadline) {
      countIn(parts.tally.byStatus, status ?? 'unreadable');
      if (status !== expected) surprise(parts.tally, `${orderId} is ${status ?? 'unreadable'} instead of ${expected}`);
      return;
    }
    await sleep(LOOK_MS, undefined, { signal: parts.signal });
  }
};

/** Reads the order; tries again if the connection is lost. */
const read = async (orderId: string, { order, signal }: LifeParts) => {
  const deadline = performance.now() + READABLE_S * 1_000;
  for (;;) {
    try {
      const headers = { prefer: `wait=${READABLE_S}` };
      return await call<Partial<Details> | null>(order, `/order-details?orderId=${orderId}`, { headers }, signal);
    } catch (error) {
      if (!(error instanceof NoAnswer) || performance.now() > deadline) throw error;
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
};

/** A histogram takes only whole numbers from 1. */
const microseconds = (ms: number): number => Math.max(1, Math.round(ms * 1_000));
