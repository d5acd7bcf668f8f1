import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { kafkaOfFile } from '#tests/contracts/kafka_under_test.ts';
import { postgresOfFile } from '#tests/postgres/postgres_for_tests.ts';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, orderDetails, orderIds, updateOrder } from './api.ts';
import { type ServiceProcess, startService } from './service_process.ts';

/** Two Order Services on one group, as on two machines: they share Kafka and a database, and no folder. */

const kafka = await kafkaOfFile();
const postgres = await postgresOfFile();
const skip = kafka.options.skip || postgres.options.skip;

/** From `kill -9` until Kafka gives the partitions to another member, and they are read. */
const TAKEN_OVER_MS = 60_000;

const startSystem = async (t: TestContext, orderEnv: () => Record<string, string>) => {
  const name = `two-orders-${randomUUID().slice(0, 8)}`;
  const { bootstrapServers } = await kafka.address();
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: bootstrapServers.join(','),
    ORDERS_TOPIC: name,
    CONSUMER_GROUP: `${name}-group`,
  };
  const cart = await startService('cart_service', { ...env, DATA_DIR: tempDir() });
  t.after(() => cart.stop());
  const orders = await Promise.all(
    ['first', 'second'].map((member) =>
      startService('order_service', { ...env, ...orderEnv(), CONSUMER_MEMBER_ID: member, DATA_DIR: tempDir() }),
    ),
  );
  t.after(() => Promise.all(orders.map((service) => service.stop())));
  const [one, other] = orders as [ServiceProcess, ServiceProcess];
  await eventually(async () => assert.ok(await isReady(cart.url)), 30_000);
  for (const { url } of orders) await eventually(async () => assert.ok((await assignedTo(url)) > 0), TAKEN_OVER_MS);
  return { name, cart, one, other };
};

const assignedTo = async (url: string): Promise<number> => {
  const ready = (await (await fetch(`${url}/health/ready`)).json()) as { assigned?: number[] };
  return ready.assigned?.length ?? 0;
};

const flowOf = async (url: string) =>
  (await (await fetch(`${url}/flow`)).json()) as {
    warnings: string[];
    partitions: { partition: number; position: number | null; lag: number | null }[];
    counts: { orders: number };
  };

const create = async (cart: ServiceProcess, ids: readonly number[]): Promise<void> => {
  await Promise.all(
    ids.map(async (id) => {
      const { status, body } = await createOrder(cart.url, { order_id: String(id), number_of_items: 1 });
      assert.equal(status, 200, JSON.stringify(body));
    }),
  );
};

const numbers = (first: number, count: number): number[] => Array.from({ length: count }, (_, n) => first + n);

/** The events of a stream so far, each with its id. */
const listen = async (t: TestContext, url: string, lastEventId?: string) => {
  const leave = new AbortController();
  t.after(() => leave.abort());
  const { body } = await fetch(`${url}/events/stream`, {
    signal: leave.signal,
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  });
  let text = '';
  void body
    ?.pipeThrough(new TextDecoderStream())
    .pipeTo(new WritableStream({ write: (part) => void (text += part) }))
    .catch(() => {});
  return {
    text: () => text,
    orders: () => Array.from(text.matchAll(/^id: (.+)\ndata: \{"orderId":"ORD-(\d+)"/gm), ([, id, n]) => ({ id, n })),
  };
};

test(
  'two Order Services on one database answer every order, and one takes over from the other',
  { skip },
  async (t) => {
    const url = await postgres.newDatabase();
    const { name, cart, one, other } = await startSystem(t, () => ({ DATABASE_URL: url }));
    const streams = await Promise.all([one, other].map((service) => listen(t, service.url)));
    const first = numbers(1, 40);
    const waits = [one, other].flatMap((service) =>
      first.map((id) => orderDetails(service.url, String(id), { prefer: 'wait=15' })),
    );
    const began = performance.now();
    await create(cart, first);
    assert.ok((await Promise.all(waits)).every(({ status }) => status === 200));
    t.diagnostic(`all 80 waits were answered ${Math.round(performance.now() - began)} ms after the first create`);
    for (const { orders } of streams)
      await eventually(() =>
        assert.deepEqual(
          orders()
            .map(({ n }) => Number(n))
            .toSorted((a, b) => a - b),
          first,
        ),
      );

    // Each speaks of the whole group.
    for (const service of [one, other]) {
      await eventually(async () => {
        const { partitions, counts, warnings } = await flowOf(service.url);
        assert.deepEqual([counts.orders, partitions.length, warnings], [40, 6, []]);
        assert.deepEqual(
          partitions.map(({ lag }) => lag),
          [0, 0, 0, 0, 0, 0],
        );
      }, 10_000);
      assert.equal((await orderIds(service.url, name)).length, 40);
    }

    // An id of one instance goes on at the other one.
    const seen = streams[0]?.orders()[19] ?? assert.fail();
    await one.kill();
    const resumed = await listen(t, other.url, seen.id);
    await create(cart, numbers(41, 40));
    await Promise.all(
      numbers(1, 20).map(async (id) =>
        assert.equal((await updateOrder(cart.url, { order_id: String(id), status: 'confirmed' })).status, 200),
      ),
    );
    await eventually(async () => assert.equal((await flowOf(other.url)).counts.orders, 80), TAKEN_OVER_MS);
    await eventually(async () => {
      for (const id of numbers(1, 20)) {
        const { body } = await orderDetails(other.url, String(id));
        assert.equal((body['order'] as { status: string }).status, 'confirmed');
      }
    }, 10_000);
    const ids = await orderIds(other.url, name);
    assert.deepEqual([ids.length, new Set(ids).size], [80, 80]);
    // 20 creates were left, 40 came, and 20 updates; each once, and without a reset.
    await eventually(() => assert.equal(resumed.orders().length, 80), 10_000);
    assert.equal(new Set(resumed.orders().map(({ id }) => id)).size, 80);
    assert.doesNotMatch(resumed.text(), /event: reset/);
  },
);

test('two Order Services of one group without a common view say so', { skip: kafka.options.skip }, async (t) => {
  const { cart, one, other } = await startSystem(t, () => ({}));
  for (const service of [one, other]) assert.deepEqual((await flowOf(service.url)).warnings, []);
  await create(cart, numbers(1, 40));
  for (const { url, output } of [one, other]) {
    const warning = /^partition .* another member of the consumer group applies events to another view/;
    await eventually(async () => assert.match((await flowOf(url)).warnings.join(), warning), 30_000);
    const ready = (await (await fetch(`${url}/health/ready`)).json()) as { warnings: string[] };
    assert.match(ready.warnings.join(), warning);
    assert.ok(output.some((line) => /"level":"?(error|50).*applies events to another view/.test(line)));
  }
});

test('an Order Service waits for its database, and says so', { skip: postgres.options.skip }, async (t) => {
  const url = new URL(await postgres.newDatabase());
  const server = new pg.Client({ connectionString: url.href });
  await server.connect();
  t.after(() => server.end());
  const name = `late_${randomUUID().slice(0, 8)}`;
  url.pathname = `/${name}`;
  const starting = startService('order_service', { DATABASE_URL: url.href, DATA_DIR: tempDir() });
  await sleep(3_000);
  await server.query(`CREATE DATABASE ${name}`);
  const service = await starting;
  t.after(() => service.stop());
  assert.ok(service.output.some((line) => line.includes('the database cannot be used yet, trying again')));
  assert.equal((await flowOf(service.url)).counts.orders, 0);
});
