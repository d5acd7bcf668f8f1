import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Broker, Message } from '#kafka_common/broker.ts';
import { readConfig } from '#kafka_common/config.ts';
import { createBroker } from '#kafka_common/kafka_factory.ts';
import { createOrder, isReady } from '#tests/e2e/api.ts';
import { type ServiceName, type ServiceProcess, startService } from '#tests/e2e/service_process.ts';
import { eventually } from '#tests/support/eventually.ts';
import { publishAll } from '#tests/faults/direct_events.ts';
import { freePorts } from '#tests/kafka/free_ports.ts';
import { tempDir } from '#tests/support/temp_dir.ts';

/** Both services, set up for the console: each knows the URL of the other. */
export interface ConsoleSystem {
  readonly url: string;
  readonly cart: string;
  /** Creates orders at the Cart Service, one after another. */
  create(...orders: readonly Record<string, unknown>[]): Promise<void>;
  /** Writes to the topic as another producer. */
  publish(messages: readonly Message[]): Promise<void>;
  kill(name: ServiceName): Promise<void>;
  /** Starts it again on the same port, with the same data. */
  start(name: ServiceName, changes?: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

export const startSystem = async (settings: Record<string, string> = {}): Promise<ConsoleSystem> => {
  const [cartPort = 0, orderPort = 0] = await freePorts(2);
  const env: Record<string, string> = {
    DATA_DIR: tempDir(),
    ORDERS_TOPIC: `orders-${randomUUID()}`,
    CONSUMER_GROUP: `group-${randomUUID()}`,
    CART_PORT: String(cartPort),
    ORDER_PORT: String(orderPort),
    ...settings,
  };
  const running = new Map<ServiceName, ServiceProcess>();
  let broker: Broker | null = null;

  const start = async (name: ServiceName, changes: Record<string, string> = {}): Promise<void> => {
    running.set(name, await startService(name, { ...env, ...changes }));
  };
  const urlOf = (name: ServiceName): string => running.get(name)?.url ?? '';

  await Promise.all([start('order_service'), start('cart_service')]);
  const [url, cart] = [urlOf('order_service'), urlOf('cart_service')];
  await eventually(async () => assert.ok((await isReady(cart)) && (await isReady(url))));

  return {
    url,
    cart,
    async create(...orders) {
      for (const order of orders) assert.equal((await createOrder(cart, order)).status, 200);
    },
    async publish(messages) {
      broker ??= await createBroker(readConfig(env), 'console-tests');
      await publishAll(broker, env['ORDERS_TOPIC'] ?? '', messages);
    },
    async kill(name) {
      await running.get(name)?.kill();
    },
    start,
    async stop() {
      await broker?.close();
      await Promise.all(Array.from(running.values(), (service) => service.stop()));
    },
  };
};
