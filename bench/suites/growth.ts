import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { residentMemory } from '../../tests/support/resident_memory.ts';
import { type Bench, type Curve, inTempDir, type Suite } from '../bench.ts';
import { consumeInto } from '../consume.ts';
import { makeTopic } from '../events.ts';
import type { LoadPlan } from '../load.ts';
import { fillCartStore, fillView, freshSettings, untilReady } from '../setting.ts';
import { startService } from '../subjects.ts';

/**
 * Enough to use the fastest service fully, but fewer than it queues. Under too much load, arrivals wait for a
 * connection.
 */
const CONNECTIONS = 200;

interface Step {
  readonly orders: number;
  readonly creates: number;
  readonly applied: number;
  readonly cartMb: number;
  readonly cartBytes: number;
  readonly viewBytes: number;
}

/** How costs grow with the number of stored orders, and with the load. */
export const growth: Suite = async (bench) => {
  const steps: Step[] = [];
  for (const orders of bench.scale.steps) steps.push(await step(bench, orders));
  const load = await latencies(bench);
  return { figures: [], curves: [...curvesOf(steps), load], tables: [tableOf(steps)] };
};

const step = ({ kafka: { bootstrapServers }, scale, load, progress }: Bench, orders: number): Promise<Step> =>
  inTempDir(async (directory) => {
    progress(`writing stores of ${orders} orders`);
    const stores = join(directory, 'kafka');
    await fillCartStore(stores, orders);
    await fillView(stores, orders);
    const sizes = { cartBytes: bytesOf(stores, 'cart.sqlite'), viewBytes: bytesOf(stores, 'order_view.sqlite') };

    progress(`${orders} orders: creating more`);
    const env = freshSettings(directory, bootstrapServers);
    const cart = await startService('cart_service', env);
    const plan = {
      url: cart.url,
      readUrl: null,
      kind: 'create',
      connections: CONNECTIONS,
      arrivalsPerSecond: null,
    } as const;
    let creates: number;
    let cartMb: number;
    try {
      await untilReady(cart);
      const { requests } = await load.run({ ...plan, seconds: scale.seconds, from: orders + 1 });
      const from = orders + requests + 1;
      creates = (await load.run({ ...plan, seconds: 2 * scale.seconds, from })).perSecond;
      cartMb = residentMemory(cart.pid).now / 1e6;
    } finally {
      await cart.kill();
    }

    progress(`${orders} orders: applying more`);
    const events = Math.round(scale.many / 5);
    const topic = await makeTopic(bootstrapServers, { count: events, ids: 'random', from: orders + 1 });
    const { perSecond: applied } = await consumeInto({
      how: 'apply',
      bootstrapServers,
      topic,
      events,
      directory: stores,
    });
    return { orders, creates, applied, cartMb, ...sizes };
  });

const bytesOf = (directory: string, name: string): number =>
  readdirSync(directory)
    .filter((file) => file === name || file === `${name}-wal`)
    .reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);

const curvesOf = (steps: readonly Step[]): Curve[] => {
  const stored = { title: 'orders stored', scale: 'log' } as const;
  const pointsOf = (series: string, valueOf: (step: Step) => number) =>
    steps.map((one) => ({ x: one.orders, y: valueOf(one), series }));
  return [
    {
      name: 'rates',
      title: 'Rates against orders stored',
      x: stored,
      y: { title: 'a second', scale: 'linear' },
      points: [
        ...pointsOf('creates', ({ creates }) => creates),
        ...pointsOf('events applied', ({ applied }) => applied),
      ],
    },
    {
      name: 'space',
      title: 'Disk against orders stored',
      x: stored,
      y: { title: 'MB', scale: 'log' },
      points: [
        ...pointsOf('cart store', ({ cartBytes }) => cartBytes / 1e6),
        ...pointsOf('view', ({ viewBytes }) => viewBytes / 1e6),
      ],
    },
  ];
};

const tableOf = (steps: readonly Step[]): { title: string; columns: string[]; rows: string[][] } => ({
  title: 'Against orders stored',
  columns: [
    'orders',
    'creates/s',
    'events applied/s',
    'cart service MB',
    'cart store bytes an order',
    'view bytes an order',
  ],
  rows: steps.map(({ orders, creates, applied, cartMb, cartBytes, viewBytes }) =>
    [orders, creates, applied, cartMb, cartBytes / orders, viewBytes / orders].map((value) => value.toFixed(0)),
  ),
});

/** The latency at each rate of arrivals. It includes the wait for a connection. */
const latencies = ({ kafka, scale, load, progress }: Bench): Promise<Curve> =>
  inTempDir(async (directory) => {
    const env = freshSettings(directory, kafka.bootstrapServers);
    const cart = await startService('cart_service', env);
    try {
      await untilReady(cart);
      const points: { x: number; y: number; series: string }[] = [];
      let from = 1;
      const run = async (arrivalsPerSecond: number) => {
        const plan: LoadPlan = {
          url: cart.url,
          readUrl: null,
          kind: 'create',
          connections: CONNECTIONS,
          seconds: 2 * scale.seconds,
          from,
          arrivalsPerSecond,
        };
        const result = await load.run(plan);
        from += result.requests;
        return result;
      };
      progress('warming up');
      await run(scale.loads[0] ?? 1);
      for (const arrivals of scale.loads) {
        progress(`${arrivals} arrivals a second`);
        const { answered } = await run(arrivals);
        points.push({ x: arrivals, y: answered.p50, series: 'p50' }, { x: arrivals, y: answered.p99, series: 'p99' });
      }
      return {
        name: 'latency',
        title: 'Latency of creates against load',
        x: { title: 'arrivals a second', scale: 'linear' },
        y: { title: 'ms', scale: 'log' },
        points,
      };
    } finally {
      await cart.kill();
    }
  });
