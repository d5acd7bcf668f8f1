import { setTimeout as sleep } from 'node:timers/promises';
import { residentMemory } from '../../tests/support/resident_memory.ts';
import { atMost, inTempDir, type Suite } from '../bench.ts';
import { freshSettings, untilReady } from '../setting.ts';
import { spreadOf } from '../statistics.ts';
import { startService, type Subject } from '../subjects.ts';

const CONNECTIONS = 200;
/** The part of all orders after which memory is measured first. */
const EARLY_PART = 0.01;
const SETTLE_MS = 2_000;

/** The resident memory of both services under full load, and how it grows with the number of orders. */
export const memory: Suite = ({ kafka, scale, load, progress }) =>
  inTempDir(async (directory) => {
    const env = freshSettings(directory, kafka.bootstrapServers);
    const [cart, order] = await Promise.all([startService('cart_service', env), startService('order_service', env)]);
    const services = { cart, order };
    const early: number[] = [];
    const late: number[] = [];
    const look = async (into: number[]): Promise<void> => {
      await sleep(SETTLE_MS);
      for (const { pid } of Object.values(services)) into.push(residentMemory(pid).now / 1e6);
    };
    try {
      await Promise.all([untilReady(cart), untilReady(order)]);
      let orders = 0;
      while (orders < scale.many) {
        progress(`${orders} of ${scale.many} orders`);
        const plan = { url: cart.url, readUrl: null, kind: 'create', connections: CONNECTIONS } as const;
        const seconds = early.length === 0 ? scale.seconds / 5 : scale.seconds;
        orders += (await load.run({ ...plan, seconds, from: orders + 1, arrivalsPerSecond: null })).requests;
        if (early.length === 0 && orders >= EARLY_PART * scale.many) await look(early);
      }
      await look(late);
      const [cartGrowth = Number.NaN, orderGrowth = Number.NaN] = late.map((mb, i) => mb - (early[i] ?? Number.NaN));
      return {
        figures: [
          atMost('cart service, most resident memory under full load', 256, spreadOf([peak(cart)]), 'MB'),
          atMost('order service, most resident memory under full load', 256, spreadOf([peak(order)]), 'MB'),
          atMost(
            `cart service, resident memory after ${scale.many} orders, less that after the first ones`,
            10,
            spreadOf([cartGrowth]),
            'MB',
          ),
          atMost(
            `order service, resident memory after ${scale.many} orders, less that after the first ones`,
            10,
            spreadOf([orderGrowth]),
            'MB',
          ),
        ],
        tables: [],
      };
    } finally {
      await Promise.all([cart.kill(), order.kill()]);
    }
  });

const peak = ({ pid }: Subject): number => residentMemory(pid).peak / 1e6;
