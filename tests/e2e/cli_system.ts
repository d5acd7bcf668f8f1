import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import { freePorts } from '#tests/kafka/free_ports.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, orderDetails, updateOrder } from './api.ts';
import { type ServiceProcess, startService } from './service_process.ts';

/** What the tests of the commands share: both services on the embedded broker, and their data. */

export const TOPIC = 'orders.events';

export interface System {
  readonly env: Record<string, string>;
  readonly cart: ServiceProcess;
  readonly order: ServiceProcess;
}

export const startSystem = async (
  t: TestContext,
  env: Record<string, string> = { DATA_DIR: tempDir() },
): Promise<System> => {
  const [order, cart] = await Promise.all([startService('order_service', env), startService('cart_service', env)]);
  t.after(() => Promise.all([order.stop(), cart.stop()]));
  await eventually(async () => assert.ok(await isReady(cart.url)));
  return { env, cart, order };
};

/** The address of a port on which nothing listens. */
export const unusedUrl = async (): Promise<string> => `http://localhost:${(await freePorts(1))[0]}`;

const WAIT = { prefer: 'wait=10' };

/** Creates and confirms an order for each id, and waits until all can be read. */
export const createOrders = async ({ cart, order }: System, ids: readonly string[]): Promise<void> => {
  for (const id of ids) {
    assert.equal((await createOrder(cart.url, { order_id: id, number_of_items: 1 })).status, 200);
    assert.equal((await updateOrder(cart.url, { order_id: id, status: 'confirmed' })).status, 200);
  }
  for (const id of ids) {
    await eventually(async () => {
      const { body } = await orderDetails(order.url, id, WAIT);
      assert.equal((body['order'] as { status?: string } | undefined)?.status, 'confirmed');
    });
  }
};

export const jsonLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

export interface Line {
  readonly orderId: string;
  readonly status: string;
}

export const short = (text: string): string[] =>
  jsonLines<Line>(text).map(({ orderId, status }) => `${orderId} ${status}`);

export const ESCAPE = '\u001B';

const message = (key: string, value: string) => ({ key, value, headers: {} });

/** Publishes messages that are not events, with the keys 1, 2 and so on. */
export const publishPoison = async ({ DATA_DIR }: Record<string, string>, count = 2): Promise<void> => {
  const broker = createEmbeddedBroker({ directory: join(DATA_DIR ?? '', 'embedded') });
  const topic = await broker.ensureTopic(TOPIC, 6);
  const values = ['{}', `${ESCAPE}[2Jgone`];
  const messages = Array.from({ length: count }, (_, n) => message(String(n + 1), values[n % 2] ?? ''));
  await broker.publish(topic, messages, 1_000);
  await broker.close();
};
