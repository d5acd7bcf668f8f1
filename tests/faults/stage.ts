import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import assert from 'node:assert/strict';
import type { Positions } from '#kafka_common/broker.ts';
import { orderDetails } from '#tests/e2e/api.ts';
import { eventually } from '#tests/support/eventually.ts';
import { freePorts } from '#tests/kafka/free_ports.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { viewPositions } from './collect.ts';
import type { Fault, Stage } from './fault.ts';
import { type StartedGround, startGround } from './ground.ts';
import { createLoad, type Load } from './load.ts';
import { createService, type WatchedService } from './service.ts';

/** A stage, with the parts that only the campaign needs. */
export interface OwnStage extends Stage {
  readonly services: readonly WatchedService[];
  readonly notes: readonly string[];
  /** When the fault of the round ended; null: not yet. */
  healedAt: number | null;
  /** The folders of the Order Services' views. */
  viewDirs(): string[];
  /** Resolves when cart, log and view agree. The load must be paused. */
  level(withinMs?: number): Promise<void>;
  /** The committed positions of the group, and those of the view, which are read later: they must not be lower. */
  commits(): Promise<{ partition: number; next: number; viewNext: number }[]>;
  /** Ends everything, and removes its files. */
  close(): Promise<void>;
}

export const TOPIC = 'orders.events';
const GROUP = 'order-service';
const STANDARD_RATE = 500;
const READY_MS = 60_000;
/** Longer than the limit, so that a late agreement is reported with its time. */
const AGREED_MS = 60_000;
const SAMPLED_ORDERS = 20;

/** Starts the brokers and both services. The load is paused. */
export const createStage = async (
  fault: Fault,
  { short, patience }: Pick<Stage, 'short' | 'patience'>,
  random: () => number,
): Promise<OwnStage> => {
  const dataDir = tempDir();
  const ground = await startGround(fault.on, dataDir);
  const services: WatchedService[] = [];
  let load: Load | null = null;
  const close = async (): Promise<void> => {
    load?.close();
    await Promise.all(services.map((service) => service.dispose()));
    await ground.close();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };

  const add = async (name: WatchedService['name'], env: Readonly<Record<string, string>> = {}) => {
    const [port = 0] = await freePorts(1);
    const settings = {
      DATA_DIR: dataDir,
      KAFKA_BOOTSTRAP_SERVERS: ground.bootstrapServers,
      ORDERS_TOPIC: TOPIC,
      CONSUMER_GROUP: GROUP,
      LOG_LEVEL: 'info',
      ...fault.env,
      ...env,
    };
    const service = createService(name, port, settings);
    services.push(service);
    return service;
  };

  try {
    const [cart, order] = [await add('cart_service'), await add('order_service')];
    await Promise.all([cart.start(), order.start()]);
    for (const { url } of [cart, order]) {
      await eventually(async () => assert.equal((await fetch(`${url}/health/ready`)).status, 200), READY_MS);
    }
    const rate = fault.requestsPerSecond === undefined ? STANDARD_RATE : (fault.requestsPerSecond ?? 0);
    const started = createLoad({ cartUrl: cart.url, orderUrl: order.url, rate, random });
    load = started;
    return stageOf({ dataDir, ground, services, cart, order, load: started, short, patience, random, add, close });
  } catch (error) {
    await close();
    throw error;
  }
};

const stageOf = (parts: {
  dataDir: string;
  ground: StartedGround;
  services: readonly WatchedService[];
  cart: WatchedService;
  order: WatchedService;
  load: Load;
  short: boolean;
  patience: number;
  random: () => number;
  add: (name: WatchedService['name'], env?: Readonly<Record<string, string>>) => Promise<WatchedService>;
  close: () => Promise<void>;
}): OwnStage => {
  const { dataDir, ground, services, cart, order, load, short, patience, random, add, close } = parts;
  const notes: string[] = [];
  const folder = basename(ground.storeDir);
  const viewDirs = (): string[] =>
    services.filter(({ name }) => name === 'order_service').map((service) => join(service.dataDir, folder));

  const isLevel = async (): Promise<void> => {
    const cartNow = (await (await fetch(`${cart.url}/health/ready`)).json()) as { unsettled: number; waiting: number };
    assert.deepEqual([cartNow.unsettled, cartNow.waiting], [0, 0], 'the cart has events that are not acknowledged');
    const bounds = await ground.client.bounds(TOPIC);
    const positions = viewPositions(viewDirs(), TOPIC);
    for (const [partition, { start, end }] of bounds) {
      const next = positions.get(partition) ?? 0;
      assert.ok(next >= end || end === start, `the view is at ${next} of ${end} in partition ${partition}`);
    }
  };

  /** Reads a sample through the service. The check of the round looks up all of them in its store. */
  const lastOrdersAreReadable = async (): Promise<void> => {
    const { exchanges } = load;
    const created: string[] = [];
    for (let i = exchanges.length - 1; i >= 0 && created.length < SAMPLED_ORDERS; i--) {
      const exchange = exchanges[i];
      if (exchange?.request.kind === 'create' && exchange.answer?.status === 200)
        created.push(exchange.request.orderId);
    }
    for (const id of created) assert.equal((await orderDetails(order.url, id)).status, 200, `${id} cannot be read`);
  };

  const level = (withinMs = AGREED_MS): Promise<void> =>
    eventually(async () => {
      await isLevel();
      if (viewDirs().length === 1) await lastOrdersAreReadable();
    }, withinMs);

  return {
    kafka: ground.kafka,
    get proxy() {
      if (ground.proxy === null) throw new Error('this row has no proxy');
      return ground.proxy;
    },
    cart,
    order,
    services,
    load,
    broker: ground.client,
    topic: TOPIC,
    dataDir,
    storeDir: ground.storeDir,
    short,
    patience,
    random,
    notes,
    healedAt: null,
    viewDirs,
    healed() {
      this.healedAt = performance.now();
    },
    level,
    async agreed(withinMs) {
      await load.pause();
      try {
        await level(withinMs);
      } finally {
        load.resume();
      }
    },
    async start(name, env) {
      const service = await add(name, env);
      await service.start();
      return service;
    },
    async commits() {
      const committed: Positions = await ground.client.committed(GROUP, TOPIC);
      const positions = viewPositions(viewDirs(), TOPIC);
      return Array.from(committed, ([partition, next]) => ({
        partition,
        next,
        viewNext: positions.get(partition) ?? 0,
      }));
    },
    note: (text) => void notes.push(text),
    close,
  };
};
