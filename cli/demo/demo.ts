import { setTimeout as sleep } from 'node:timers/promises';
import { defineCommand } from '../command.ts';
import { createDemoClient } from './client.ts';
import { liveOrder } from './life.ts';
import { mixOption } from './mix.ts';
import { planOrder } from './plan.ts';
import { countIn, createTally, summaryLines, summaryOf } from './tally.ts';
import { EXIT, wrongUsage } from '../failures.ts';
import { count, decimal, flag, optionalCount, refuse, serviceUrl, text } from '../options.ts';
import { callReachable, type Service } from '../service_client.ts';
import { visibleJson } from '../visible.ts';

/** Orders under way at the same time; beyond it, orders that are due wait. */
const MAX_UNDER_WAY = 1_000;
const DEFAULT_ORDERS = 200;
const PROGRESS_MS = 250;

export const demo = defineCommand({
  name: 'demo',
  summary: 'Creates and updates orders on a running system, and checks every answer.',
  details: `Orders come at a steady rate, however long the answers take (open loop). Each order is created. Then it
moves on (pending, confirmed, processing, dispatched, shipped, delivered, completed), is cancelled, or stays
open. Some customers send a request twice or do not wait for the answer. Some send one that must be refused.
After a 503 or a lost answer, the demo repeats the request under the same Idempotency-Key. It waits as
Retry-After says, and gives up after 30 s. It reads each order from the Order Service after the order's 200
and at the end of the order's life.
The same --seed gives the same orders, contents and decisions. Order ids begin with the run, by default the
time, so no two runs share an id. A run with the same --run and --seed sends the same requests under the
same keys, and so changes nothing (for 24 hours).`,
  options: {
    rate: decimal(0.1, 500, 20, 'new orders per second; each needs about six requests'),
    orders: optionalCount(1, 1_000_000, `number of orders (default: ${DEFAULT_ORDERS})`),
    seconds: optionalCount(1, 86_400, 'instead of --orders: how long new orders come'),
    mix: mixOption,
    seed: text('TEXT', 'decides everything that is random (default: 1)'),
    run: {
      placeholder: 'DIGITS',
      description: 'first digits of the order ids, 1 to 30 (default: the time in milliseconds)',
      read: (given) => (given === undefined || /^\d{1,30}$/.test(given) ? given : refuse(given, 'be 1 to 30 digits')),
    },
    pause: count(0, 60_000, 400, 'mean time between the steps of an order, in milliseconds'),
    cart: serviceUrl('Cart Service', 'CART_PORT', 8000),
    order: serviceUrl('Order Service', 'ORDER_PORT', 8001),
    json: flag('print the summary as one line of JSON'),
  },
  found: 'an answer, or the status of an order, was not the expected one',
  examples: [
    ['', 'two hundred orders, twenty per second'],
    ['-- --seconds 60 --rate 50 --seed 7', 'fifty orders per second, for a minute'],
    ['-- --orders 20 --mix cancel=1,wrong=1', 'only orders that are cancelled or get a wrong request'],
    ['--silent -- --json', 'the summary for a script'],
  ],
  run: async ({ values, terminal, signal }) => {
    if (values.orders !== undefined && values.seconds !== undefined)
      throw wrongUsage('give either --orders or --seconds, not both');
    const cart: Service = { name: 'Cart Service', url: values.cart };
    const order: Service = { name: 'Order Service', url: values.order };
    // Only whether they run: whether they are ready shows in the answers.
    for (const service of [cart, order]) await callReachable(service, '/health/live', {}, signal);

    const { rate, seed = '1', run = String(Date.now()), mix, pause: pauseMs } = values;
    const isOver =
      values.seconds === undefined
        ? (n: number) => n >= (values.orders ?? DEFAULT_ORDERS)
        : (n: number) => n / rate >= (values.seconds ?? 0);
    const tally = createTally();
    const client = createDemoClient({ cart, signal, onRetry: (reason) => countIn(tally.retried, reason) });
    const underWay = new Set<Promise<void>>();
    const startedAt = performance.now();
    const seconds = (): number => (performance.now() - startedAt) / 1_000;
    const progress = setInterval(() => {
      const { started, created, unexpected } = tally;
      const retried = [...tally.retried.values()].reduce((sum, n) => sum + n, 0);
      const perSecond = (started / seconds()).toFixed(1);
      terminal.progress(
        `${seconds().toFixed(0)} s: ${started} orders (${perSecond}/s), ${created} created, ${underWay.size} under way, ${retried} sent again, ${unexpected} unexpected`,
      );
    }, PROGRESS_MS);
    try {
      for (let n = 0; !isOver(n) && !signal.aborted; n += 1) {
        const dueAt = startedAt + (n * 1_000) / rate;
        await sleep(Math.max(0, dueAt - performance.now()), undefined, { signal });
        if (underWay.size >= MAX_UNDER_WAY) {
          tally.heldBack += 1;
          await Promise.race(underWay);
        }
        const plan = planOrder({ seed, run, mix, pauseMs }, n);
        const life = liveOrder(plan, dueAt, { client, order, tally, signal }).finally(() => underWay.delete(life));
        underWay.add(life);
      }
      await Promise.all(underWay);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearInterval(progress);
    }
    await Promise.allSettled(underWay);

    const summary = summaryOf(tally, { seed, run, seconds: seconds(), interrupted: signal.aborted });
    for (const line of values.json ? [visibleJson(summary)] : summaryLines(summary)) await terminal.print(line);
    return summary.unexpected === 0 ? EXIT.done : EXIT.failed;
  },
});
