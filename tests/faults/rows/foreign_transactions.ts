import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderCreated, OrderEvent } from '#kafka_common/events.ts';
import type { OrderStatus } from '#kafka_common/models.ts';
import { whyNoPython } from '#tests/support/python.ts';
import { eventually } from '#tests/support/eventually.ts';
import { readLog } from '#tests/faults/collect.ts';
import { directOrderId, historyOf } from '#tests/faults/direct_events.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { type ForeignClient, installForeignClient, withForeignClient } from '#tests/faults/foreign/foreign_client.ts';
import { foreignMessage } from '#tests/faults/foreign/foreign_events.ts';
import { readinessOf } from '#tests/faults/readiness.ts';
import { readView, untilViewHasAll } from '#tests/faults/stored_view.ts';

/** Transactions of another client on the same topic: what it aborts must not exist, what it commits must. */

const FAMILY = 11;
const ORDERS = 20;
/** Together more than a fetch of one partition returns at once (1 MiB), so that its end marker is in a later fetch. */
const LARGE = { orders: 80, items: 300 };
const OPEN_MS = 3_000;
const APPLIED_MS = 30_000;

const transactions: Fault = {
  name: 'foreign-transactions',
  title: 'transactions of librdkafka among the orders: aborted, committed, large, and left open for 3 s',
  rounds: { full: 20, short: 1 },
  on: { broker: 'kafka' },
  cannotRun: whyNoPython,

  // oxlint-disable-next-line require-await -- the interface is asynchronous
  async prepare() {
    installForeignClient();
  },

  async run(stage, round) {
    const partitions = (await stage.broker.bounds(stage.topic)).size;
    const messages = (events: readonly OrderEvent[]) => events.map((event) => foreignMessage(event, partitions));
    const ids = (group: number, count: number): string[] =>
      Array.from({ length: count }, (_, n) => directOrderId(FAMILY, round * 1_000 + group * 100 + n));
    const [plain, committed, aborted, open] = [ids(0, ORDERS), ids(1, ORDERS), ids(2, LARGE.orders), ids(3, ORDERS)];
    const commits = round % 2 === 1;

    await withForeignClient(stage, async (client) => {
      await client.write(messages(plain.map(createOf)));
      await inTransaction(client, messages(statusesOf([...plain, ...ordersOfLoad(stage)], 'cancelled')), 'abort');
      await inTransaction(client, messages(committed.flatMap((id) => historyOf(id, ['confirmed']))), 'commit');
      await inTransaction(client, messages(aborted.map(largeCreate)), 'abort');
      const left = await client.begin();
      await left.send(messages([...open.map(createOf), ...statusesOf(plain, 'shipped')]));
      await eventually(async () => assert.ok((await lagOf(stage)) >= 2 * ORDERS, 'an open transaction is a lag'));
      await sleep(OPEN_MS);
      await left.end(commits ? 'commit' : 'abort');
      await client.write(messages(plain.map((id) => statusOf(id, commits ? 3 : 2, 'delivered'))));
    });
    stage.healed();

    await untilViewHasAll(stage, APPLIED_MS * stage.patience);
    const { orders } = readView(stage.storeDir, stage.topic);
    const states = (orderIds: readonly string[]): string[] => [
      ...new Set(orderIds.map((id) => `${orders.get(id)?.version} ${orders.get(id)?.status}`)),
    ];
    assert.deepEqual(states(plain), [`${commits ? 3 : 2} delivered`]);
    assert.deepEqual(states(committed), ['2 confirmed']);
    assert.deepEqual(states(aborted), ['undefined undefined']);
    assert.deepEqual(states(open), [commits ? '1 new' : 'undefined undefined']);
  },

  async finish(stage) {
    // The second client judges by its own reading which records are committed.
    const { entries } = await readLog(stage.broker, stage.topic);
    await withForeignClient(stage, async (client) => {
      const ours = new Set(entries.map(({ partition, offset }) => `${partition}/${offset}`));
      const theirs = new Set((await client.committed()).map(([partition, offset]) => `${partition}/${offset}`));
      assert.deepEqual([...ours.symmetricDifference(theirs)].slice(0, 10), [], 'both clients read the same records');
      stage.note(`${ours.size} records, the same for librdkafka`);
    });
  },
};

export const foreignTransactionRows: readonly Fault[] = [transactions];

const inTransaction = async (
  client: ForeignClient,
  messages: Parameters<ForeignClient['write']>[0],
  how: 'commit' | 'abort',
): Promise<void> => {
  const transaction = await client.begin();
  await transaction.send(messages);
  await transaction.end(how);
};

const createOf = (orderId: string): OrderCreated => {
  const [created] = historyOf(orderId, []);
  assert(created?.type === 'ORDER_CREATED');
  return created;
};

const largeCreate = (orderId: string): OrderCreated => {
  const created = createOf(orderId);
  const items = Array.from({ length: LARGE.items }, (_, n) => ({ itemId: `ITEM-${n}`, quantity: 1, price: 50 }));
  return { ...created, order: { ...created.order, items, totalAmount: 50 * LARGE.items } };
};

const statusOf = (orderId: string, version: number, status: OrderStatus): OrderEvent => {
  const event = historyOf(orderId, [status])[1];
  assert(event);
  return { ...event, version };
};

const statusesOf = (orderIds: readonly string[], status: OrderStatus): OrderEvent[] =>
  orderIds.map((orderId) => statusOf(orderId, 2, status));

/** The last orders of the load: they are being updated. */
const ordersOfLoad = ({ load }: Stage): string[] =>
  load.exchanges
    .slice(-200)
    .filter(({ request, answer }) => request.kind === 'create' && answer?.status === 200)
    .map(({ request }) => request.orderId);

const lagOf = async ({ order }: Stage): Promise<number> =>
  Object.values((await readinessOf(order)).lag).reduce((sum, lag) => sum + lag, 0);
