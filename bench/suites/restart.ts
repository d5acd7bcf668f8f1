import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Bench, inTempDir, type Suite } from '../bench.ts';
import { fillCartStore, fillView, freshSettings, untilReady } from '../setting.ts';
import { spreadOf } from '../statistics.ts';
import { startService, type Subject } from '../subjects.ts';

const READ_WAIT_S = 30;

/** How long a restart takes: of an Order Service that was killed, and of each service with a store of many orders. */
export const restart: Suite = async (bench) => {
  const toFirstEvent = await killed(bench);
  const { cart, order } = await cold(bench);
  return {
    figures: [
      atMost(
        'order service killed and started again: to the first new event applied',
        500,
        spreadOf(toFirstEvent),
        'ms',
      ),
      atMost(`cart service, start to ready, ${bench.scale.many} orders in its store`, 1_000, spreadOf(cart), 'ms'),
      atMost(`order service, start to ready, ${bench.scale.many} orders in its view`, 1_000, spreadOf(order), 'ms'),
    ],
    tables: [],
  };
};

const createOrder = async ({ url }: Subject, id: number): Promise<void> => {
  const response = await fetch(`${url}/create-order`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ order_id: String(id), number_of_items: 3 }),
  });
  if (response.status !== 200) throw new Error(`create ${id} was answered ${response.status}`);
};

const killed = ({ kafka, scale, progress }: Bench): Promise<number[]> =>
  inTempDir(async (directory) => {
    const env = freshSettings(directory, kafka.bootstrapServers);
    const cart = await startService('cart_service', env);
    let order = await startService('order_service', env);
    try {
      await Promise.all([untilReady(cart), untilReady(order)]);
      const times: number[] = [];
      for (let round = 1; round <= scale.rounds; round++) {
        progress(`round ${round} of ${scale.rounds}: kill the order service and start it again`);
        await createOrder(cart, 2 * round);
        await readable(order, 2 * round);
        // Longer than the time between two commits of offsets.
        await sleep(1_500);
        await order.kill();
        await createOrder(cart, 2 * round + 1);
        const started = performance.now();
        order = await startService('order_service', env);
        await readable(order, 2 * round + 1);
        times.push(performance.now() - started);
      }
      return times;
    } finally {
      await Promise.all([cart.kill(), order.kill()]);
    }
  });

const readable = async ({ url }: Subject, id: number): Promise<void> => {
  const response = await fetch(`${url}/order-details?orderId=${id}`, { headers: { prefer: `wait=${READ_WAIT_S}` } });
  if (response.status !== 200) throw new Error(`order ${id} was answered ${response.status}`);
};

const cold = ({ kafka, scale, progress }: Bench): Promise<{ cart: number[]; order: number[] }> =>
  inTempDir(async (directory) => {
    progress(`writing stores of ${scale.many} orders`);
    await fillView(join(directory, 'kafka'), scale.many);
    await fillCartStore(join(directory, 'kafka'), scale.many);
    const env = freshSettings(directory, kafka.bootstrapServers);
    const times: { cart: number[]; order: number[] } = { cart: [], order: [] };
    // The first start makes the topic, and does not count.
    for (let round = 0; round <= scale.rounds; round++) {
      for (const name of ['cart', 'order'] as const) {
        progress(`round ${round} of ${scale.rounds}: start the ${name} service`);
        const started = performance.now();
        const service = await startService(`${name}_service`, env);
        try {
          await untilReady(service);
          if (round > 0) times[name].push(performance.now() - started);
        } finally {
          await service.stop();
        }
      }
    }
    return times;
  });
