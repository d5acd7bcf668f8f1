import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '#tests/support/eventually.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { untilViewHasAll } from '#tests/faults/stored_view.ts';

const OLDER_BY_ORDERS = 1_000;
const OLDER_WITHIN_MS = 60_000;
/** How long the service is down, while events arrive and clients send requests. */
const AWAY_MS = 500;
const REBUILT_MS = 60_000;

const cartStoreLost: Fault = {
  name: 'cart-store-lost',
  title: `cart store deleted, or put back from a copy ${OLDER_BY_ORDERS} orders older, under retrying clients`,
  rounds: { full: 10, short: 2 },
  on: { broker: 'kafka' },

  async run(stage, round) {
    await loseStore(stage, stage.cart, 'cart.sqlite', round);
    stage.healed();
  },
};

const viewLost: Fault = {
  name: 'view-lost',
  title: `view deleted, or put back from a copy ${OLDER_BY_ORDERS} orders older, while events arrive`,
  rounds: { full: 10, short: 2 },
  on: { broker: 'kafka' },

  async run(stage, round) {
    await loseStore(stage, stage.order, 'order_view.sqlite', round);
    const started = performance.now();
    await untilViewHasAll(stage, REBUILT_MS);
    // The ten seconds until cart and view agree begin only now, because reading the whole log takes long.
    stage.healed();
    stage.note(`rebuilt in ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  },
};

export const storeRows: readonly Fault[] = [cartStoreLost, viewLost];

/** Replaces the store of a service: by an older copy in even rounds, by nothing in odd ones. */
const loseStore = async (stage: Stage, service: Stage['cart'], name: string, round: number): Promise<void> => {
  const path = join(stage.storeDir, name);
  const isPutBack = round % 2 === 0;
  if (isPutBack) {
    // The service must be stopped for the copy: only then the file is the whole store.
    await service.stop();
    copyFileSync(path, `${path}.copy`);
    await service.start();
    await untilMoreOrders(stage, OLDER_BY_ORDERS);
  }
  await service.kill();
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true });
  if (isPutBack) copyFileSync(`${path}.copy`, path);
  if (existsSync(`${path}.copy`)) rmSync(`${path}.copy`);
  await sleep(AWAY_MS);
  await service.start();
};

const untilMoreOrders = async ({ load }: Stage, count: number): Promise<void> => {
  const first = load.exchanges.length;
  await eventually(() => {
    const created = load.exchanges
      .slice(first)
      .filter(({ request, answer }) => request.kind === 'create' && answer?.status === 200).length;
    if (created < count) throw new Error(`only ${created} of ${count} orders were created`);
  }, OLDER_WITHIN_MS);
};
