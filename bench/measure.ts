import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '#service_common/node_flags.ts';
import { kafkaAvailability, startKafka } from '#tests/kafka/apache_kafka.ts';

/**
 * `npm run measure`: the first figures of the system as it runs on this machine, on each broker: time to start, time
 * from a `200` to the order being readable, and memory of each service after ORDERS orders. Figures only, no verdict.
 */

const ORDERS = Number(process.env['ORDERS'] ?? 100_000);
const SAMPLES = 1_000;
const CONNECTIONS = 50;

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

const call = (method: string, url: string, body?: object, headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const type =
      text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request(url, { method, agent, headers: { ...type, ...headers } }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(text);
  });

const create = async (cart: string, id: number): Promise<void> => {
  const status = await call('POST', `${cart}/create-order`, { order_id: String(id), number_of_items: 3 });
  if (status !== 200) throw new Error(`create ${id} was answered ${status}`);
};

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN;

/** Resident memory in MB, where the system tells it. */
const memoryMb = (child: ChildProcess): string => {
  try {
    const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    return `${Math.round(Number(kb) / 1_024)} MB`;
  } catch {
    return 'unknown here';
  }
};

const start = (
  name: string,
  env: Record<string, string>,
): Promise<{ child: ChildProcess; url: string; ms: number }> => {
  const started = performance.now();
  const child = fork(fileURLToPath(new URL(`../services/${name}/main.ts`, import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...NODE_FLAGS],
    env: { ...process.env, ...env },
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
    child.once('message', (message: { ready: string }) =>
      resolve({ child, url: message.ready, ms: performance.now() - started }),
    );
  });
};

const measure = async (bootstrapServers: string): Promise<Record<string, string>> => {
  const directory = mkdtempSync(join(tmpdir(), 'order-events-measure-'));
  const env = {
    DATA_DIR: directory,
    CART_PORT: '0',
    ORDER_PORT: '0',
    KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
    ORDERS_TOPIC: `measure-${randomUUID()}`,
    CONSUMER_GROUP: `measure-${randomUUID()}`,
  };
  const [cart, order] = await Promise.all([start('cart_service', env), start('order_service', env)]);
  const readable = (id: number): Promise<number> =>
    call('GET', `${order.url}/order-details?orderId=${id}`, undefined, { prefer: 'wait=30' });
  while (
    (await call('GET', `${cart.url}/health/ready`)) !== 200 ||
    (await call('GET', `${order.url}/health/ready`)) !== 200
  ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  let next = 1;
  const delays: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const id = next++;
    await create(cart.url, id);
    const answered = performance.now();
    if ((await readable(id)) !== 200) throw new Error(`order ${id} is not readable`);
    delays.push(performance.now() - answered);
  }

  const loaded = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (next <= ORDERS) await create(cart.url, next++);
    }),
  );
  const seconds = (performance.now() - loaded) / 1_000;
  if ((await readable(ORDERS)) !== 200) throw new Error('the last order is not readable');

  const figures = {
    'start of cart and order, side by side': `${Math.round(cart.ms)} ms, ${Math.round(order.ms)} ms`,
    'from 200 to readable': `${quantile(delays, 0.5).toFixed(1)} ms median, ${quantile(delays, 0.99).toFixed(1)} ms p99`,
    [`creates a second, ${CONNECTIONS} connections`]: Math.round((ORDERS - SAMPLES) / seconds).toString(),
    [`memory after ${ORDERS} orders`]: `cart ${memoryMb(cart.child)}, order ${memoryMb(order.child)}`,
  };
  for (const { child } of [cart, order]) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.disconnect();
    await ended;
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  return figures;
};

console.log('on the embedded broker ...');
console.table(await measure(''));
const available = await kafkaAvailability();
if (available.kind === 'none') {
  console.log(`not on Apache Kafka: ${available.reason}`);
} else {
  console.log('on Apache Kafka ...');
  const kafka = available.kind === 'given' ? null : await startKafka();
  try {
    console.table(
      await measure(available.kind === 'given' ? available.bootstrapServers : (kafka?.bootstrapServers ?? '')),
    );
  } finally {
    await kafka?.stop();
  }
}
agent.destroy();
