import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import { createEmbeddedBroker } from '#kafka_common/embedded_broker.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { eventually } from '#tests/eventually.ts';
import { kafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { freePorts } from '#tests/kafka/free_ports.ts';
import { tempDir } from '#tests/temp_dir.ts';
import { createOrder, isReady, orderDetails, orderIds, updateOrder } from './api.ts';
import { runCli, startCli } from './cli_process.ts';
import { type ServiceProcess, startService } from './service_process.ts';

/** The commands as people and scripts run them, against both services on the embedded broker. */

const TOPIC = 'orders.events';

interface System {
  readonly env: Record<string, string>;
  readonly cart: ServiceProcess;
  readonly order: ServiceProcess;
}

const startSystem = async (t: TestContext, env: Record<string, string> = { DATA_DIR: tempDir() }): Promise<System> => {
  const [order, cart] = await Promise.all([startService('order_service', env), startService('cart_service', env)]);
  t.after(() => Promise.all([order.stop(), cart.stop()]));
  await eventually(async () => assert.ok(await isReady(cart.url)));
  return { env, cart, order };
};

/** An address at which nothing answers. */
const nobody = async (): Promise<string> => `http://localhost:${(await freePorts(1))[0]}`;

describe('every command', () => {
  for (const { name, options } of COMMANDS) {
    test(`${name} --help names all its options and exit codes, and ends with 0`, async () => {
      const { code, stdout, stderr } = await runCli([name, '--help']);
      assert.deepEqual([code, stderr], [0, '']);
      for (const option of Object.keys(options)) assert.ok(stdout.includes(`--${option}`), option);
      for (const exit of ['0', '1', '2', '3', '130']) assert.match(stdout, new RegExp(`^  ${exit} `, 'm'));
    });

    test(`${name} with an option that there is not, says so and ends with 2`, async () => {
      const { code, stdout, stderr } = await runCli([name, '--no-such']);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /there is no option --no-such\n.*--help/);
    });
  }

  test('that is none, is told from those that there are', async () => {
    const { code, stderr } = await runCli(['dmo']);
    assert.equal(code, 2);
    assert.match(stderr, /no command "dmo": demo, tail, redrive, rebuild/);
  });
});

describe('npm run demo', () => {
  const fast = ['--rate', '100', '--pause', '5'];

  test('drives a system through whole lives and finds nothing unexpected', async (t) => {
    const { cart, order } = await startSystem(t);
    const args = ['demo', '--cart', cart.url, '--order', order.url, '--orders', '40', '--run', '7', '--json', ...fast];
    const { code, stdout, stderr } = await runCli(args);
    const summary = JSON.parse(stdout) as { created: number; byStatus: Record<string, number>; unexpected: number };
    assert.deepEqual([code, summary.created, summary.unexpected], [0, 40, 0], stderr);
    assert.ok((summary.byStatus['completed'] ?? 0) > 10 && (summary.byStatus['cancelled'] ?? 0) > 0);
    const ids = await orderIds(order.url, TOPIC);
    assert.equal(ids.length, 40);

    const again = JSON.parse((await runCli(args)).stdout) as typeof summary;
    assert.deepEqual([again.byStatus, again.unexpected], [summary.byStatus, 0]);
    assert.deepEqual(await orderIds(order.url, TOPIC), ids, 'the same run again creates nothing');

    const other = args.with(args.indexOf('7'), '8');
    assert.equal((await runCli(other)).code, 0);
    assert.equal((await orderIds(order.url, TOPIC)).length, 80);
  });

  test('tells a person what it has seen', async (t) => {
    const { cart, order } = await startSystem(t);
    const env = { CART_PORT: new URL(cart.url).port, ORDER_PORT: new URL(order.url).port };
    const { code, stdout } = await runCli(['demo', '--orders', '5', '--mix', 'complete=1', ...fast], env);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^5 orders in .* s, 5 created \(seed 1, run \d+\)$/m);
    assert.match(stdout, /^  completed +5$/m);
    assert.match(stdout, /^nothing unexpected$/m);
  });

  test('whose Order Service loses an order, ends with 1 and names it', async (t) => {
    const { cart } = await startSystem(t);
    const other = await startSystem(t);
    const args = ['demo', '--cart', cart.url, '--order', other.order.url, '--orders', '1', '--mix', 'open=1', ...fast];
    const { code, stdout } = await runCli(args);
    assert.equal(code, 1);
    assert.match(stdout, /^unexpected: 1\n {2}ORD-\d+ cannot be read 10 s after its 200 \(404\)$/m);
  });

  test('interrupted, sums up what it has seen and ends with 130', async (t) => {
    const { cart, order } = await startSystem(t);
    const demo = startCli(['demo', '--cart', cart.url, '--order', order.url, '--seconds', '600', '--rate', '50']);
    await eventually(async () => assert.ok((await orderIds(order.url, TOPIC)).length > 20));
    demo.kill('SIGINT');
    const { code, stdout } = await demo.ended;
    assert.equal(code, 130);
    assert.match(stdout, /orders in .* s, interrupted, \d+ created/);
  });

  test('without a service, ends with 3 and says what to start', async () => {
    const { code, stdout, stderr } = await runCli(['demo', '--cart', await nobody()]);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /the Cart Service does not answer at http:.*; npm start starts it/);
  });

  test('with two ends, ends with 2', async () => {
    const { code, stderr } = await runCli(['demo', '--orders', '5', '--seconds', '5']);
    assert.equal(code, 2);
    assert.match(stderr, /--orders and --seconds exclude each other/);
  });
});

const WAIT = { prefer: 'wait=10' };

/** Orders of these ids, each confirmed, readable. */
const createOrders = async ({ cart, order }: System, ids: readonly string[]): Promise<void> => {
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

const jsonLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

interface Line {
  readonly orderId: string;
  readonly status: string;
}

const short = (text: string): string[] => jsonLines<Line>(text).map(({ orderId, status }) => `${orderId} ${status}`);

describe('npm run tail', () => {
  test('shows what the view has of an order, and goes on with what comes, over a restart of the service', async (t) => {
    const system = await startSystem(t);
    const port = new URL(system.order.url).port;
    await createOrders(system, ['1', '2']);
    const tail = startCli(['tail', '--order', '2', '--from', 'earliest', '--json', '--limit', '4'], {
      ORDER_PORT: port,
    });
    await eventually(() => assert.equal(short(tail.output()).length, 2));
    await updateOrder(system.cart.url, { order_id: '2', status: 'processing' });
    await eventually(() => assert.equal(short(tail.output()).length, 3));
    await system.order.stop();
    await eventually(() => assert.match(tail.notes(), /connection lost \(.*\), trying again in 0.5 s/));
    await updateOrder(system.cart.url, { order_id: '2', status: 'shipped' });
    const again = await startService('order_service', { ...system.env, ORDER_PORT: port });
    t.after(() => again.stop());
    const { code, stdout } = await tail.ended;
    assert.equal(code, 0);
    assert.deepEqual(short(stdout), ['ORD-2 new', 'ORD-2 confirmed', 'ORD-2 processing', 'ORD-2 shipped']);
  });

  test('from latest, shows only what is new, in lines for people, until it is interrupted', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1']);
    const tail = startCli(['tail', '--url', system.order.url]);
    // Until it listens, there is nothing that it could show.
    await eventually(async () => {
      await createOrder(system.cart.url, { order_id: String(Date.now()), number_of_items: 1 });
      assert.notEqual(tail.output(), '');
    });
    tail.kill('SIGINT');
    const { code, stdout } = await tail.ended;
    assert.equal(code, 130);
    for (const line of stdout.trimEnd().split('\n')) assert.match(line, /^\S+Z {2}ORD-\d+ +new +v1 +\d@\d+$/);
    assert.ok(!stdout.includes('ORD-1 '));
  });

  test('with --topic, reads the broker without any service, also what cannot be read', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1', '2', '3']);
    await Promise.all([system.cart.stop(), system.order.stop()]);
    await publishPoison(system.env);
    const args = ['tail', '--topic', TOPIC, '--from', 'earliest'];
    const { code, stdout } = await runCli([...args, '--limit', '8', '--json'], system.env);
    assert.equal(code, 0);
    const expected = ['1', '2', '3'].flatMap((id) => [`ORD-${id} new`, `ORD-${id} confirmed`]);
    assert.deepEqual(short(stdout).slice(0, 6), expected);
    const { stdout: text } = await runCli([...args, '--limit', '8'], system.env);
    assert.match(text, /cannot be read, key "2": the value is not JSON/);
    assert.ok(!text.includes(ESCAPE), 'nothing of a message acts on the terminal');
    const one = await runCli([...args, '--limit', '2', '--order', '2', '--json'], system.env);
    assert.deepEqual(short(one.stdout), ['ORD-2 new', 'ORD-2 confirmed']);
  });

  test('without what it reads from, ends with 3 and makes nothing', async () => {
    const env = { DATA_DIR: join(tempDir(), 'none') };
    const noService = await runCli(['tail', '--url', await nobody()]);
    assert.equal(noService.code, 3);
    assert.match(noService.stderr, /the Order Service does not answer at/);
    const noBroker = await runCli(['tail', '--topic', TOPIC], env);
    assert.equal(noBroker.code, 3);
    assert.match(noBroker.stderr, /there is no embedded broker in .*none/);
    const [port] = await freePorts(1);
    const noKafka = await runCli(['tail', '--topic', TOPIC], { KAFKA_BOOTSTRAP_SERVERS: `localhost:${port}` });
    assert.equal(noKafka.code, 3, noKafka.stderr);
  });

  test('with a wrong order id or setting, ends with 2', async () => {
    assert.match((await runCli(['tail', '--order', 'x'])).stderr, /--order is "x", but must be an order id/);
    const { code, stderr } = await runCli(['tail', '--topic', TOPIC], { TOPIC_PARTITIONS: 'x' });
    assert.equal(code, 2);
    assert.match(stderr, /TOPIC_PARTITIONS is "x"/);
  });
});

const ESCAPE = '\u001B';

const message = (key: string, value: string) => ({ key, value, headers: {} });

/** Messages that are no events: two, under the keys 1 and 2, or so many. */
const publishPoison = async ({ DATA_DIR }: Record<string, string>, count = 2): Promise<void> => {
  const broker = createEmbeddedBroker({ directory: join(DATA_DIR ?? '', 'embedded') });
  const topic = await broker.ensureTopic(TOPIC, 6);
  const values = ['{}', `${ESCAPE}[2Jgone`];
  const messages = Array.from({ length: count }, (_, n) => message(String(n + 1), values[n % 2] ?? ''));
  await broker.publish(topic, messages, 1_000);
  await broker.close();
};

describe('npm run redrive', () => {
  interface Held {
    readonly id: number;
    readonly reason: string;
  }

  /** A system with two dead letters. */
  const startWithLetters = async (t: TestContext): Promise<{ url: string; run: typeof runCli }> => {
    const system = await startSystem(t);
    const { url } = system.order;
    await publishPoison(system.env);
    const run: typeof runCli = (args) => runCli(['redrive', '--url', url, ...args]);
    await eventually(async () => assert.equal(jsonLines<Held>((await run(['--list', '--json'])).stdout).length, 2));
    return { url, run };
  };

  test('lists what is held, with nothing that acts on the terminal', async (t) => {
    const { run } = await startWithLetters(t);
    const { code, stdout, stderr } = await run([]);
    assert.deepEqual([code, stderr], [0, '2 letters are held\n']);
    assert.ok(!stdout.includes(ESCAPE));
    assert.match(
      stdout,
      /^\d {2}orders\.events \d@0 {2}key "2" {2}set aside \S+Z\n {4}the value is not JSON\n {4}"\\u\{1b\}\[2Jgone"$/m,
    );
    assert.equal((await run(['--reason', 'no such reason', '--yes'])).code, 0);
    assert.equal((await run(['--id', '9', '--yes'])).code, 1);
  });

  test('publishes a letter with its value repaired, says what became of it, and of the others too', async (t) => {
    const { url, run } = await startWithLetters(t);
    const letters = jsonLines<Held & { key: { text: string } }>((await run(['--list', '--json'])).stdout);
    const id = String(letters.find(({ key }) => key.text === '1')?.id);
    const file = join(tempDir(), 'value.json');
    const event = { event_id: 'e', event_type: 'ORDER_STATUS_UPDATED', timestamp: '2026-01-18T12:00:00Z' };
    writeFileSync(file, `${JSON.stringify({ ...event, order_id: 'ORD-7', version: 2, status: 'shipped' })}\n`);

    const asked = await run(['--id', id]);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /nobody can be asked here: give --yes/);
    const dry = await run(['--id', id, '--dry-run']);
    assert.deepEqual([dry.code, dry.stderr.endsWith('1 would be published\n')], [0, true]);

    const repaired = await run(['--id', id, '--value-file', file, '--new-key', 'ORD-7', '--yes']);
    assert.deepEqual([repaired.code, repaired.stdout], [0, '1 waiting for their order\n']);
    const pending = (await (await fetch(`${url}/pending-statuses`)).json()) as { pendingStatuses: unknown[] };
    assert.equal(pending.pendingStatuses.length, 1);

    const rest = await run(['--all', '--yes', '--json']);
    assert.equal(rest.code, 1, 'it is as bad as before');
    assert.deepEqual(
      jsonLines<{ outcome: string }>(rest.stdout).map(({ outcome }) => outcome),
      ['dead_letter'],
    );
    const again = await run(['--id', id, '--yes']);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /1 of the ids is no letter that is held/);
  });

  test('with options that do not go together, ends with 2', async () => {
    for (const [args, says] of [
      [['--all', '--id', '1'], /--all and --id/],
      [['--id', '1,x'], /--id is "1,x", but must be ids/],
      [['--all', '--new-key', 'x'], /need one letter, by --id/],
      [['--id', '1', '--value-file', 'no/such/file'], /--value-file cannot be read: /],
    ] as const) {
      const { code, stderr } = await runCli(['redrive', ...args]);
      assert.equal(code, 2);
      assert.match(stderr, says);
    }
  });

  test('without a service, ends with 3', async () => {
    const { code, stderr } = await runCli(['redrive', '--url', await nobody()]);
    assert.equal(code, 3);
    assert.match(stderr, /the Order Service does not answer at/);
  });
});

const filesOf = ({ env }: System): string => join(env['DATA_DIR'] ?? '', 'embedded');

const rebuild = ({ env }: System, ...args: string[]) => runCli(['rebuild', ...args], env);

const statusOf = async (url: string, id: string): Promise<unknown> =>
  ((await orderDetails(url, id)).body['order'] as { status?: string } | undefined)?.status;

/** What a service has of dead letters, but for what two views of one log may have otherwise. */
const lettersAt = async (at: string): Promise<unknown[]> => {
  const reply = await fetch(`${at}/dead-letters?state=all`);
  const { deadLetters } = (await reply.json()) as { deadLetters: Record<string, unknown>[] };
  return deadLetters.map(({ key, partition, offset, redriven }) => ({ key, partition, offset, redriven }));
};

/** Changes the view behind the service's back. */
const tamper = (system: System, sql: string): void => {
  const db = new DatabaseSync(join(filesOf(system), 'order_view.sqlite'), { timeout: 5_000 });
  db.exec(sql);
  db.close();
};

describe('npm run rebuild', () => {
  test('beside a running service, tells what differs, and the service takes the new view up at its next start', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1', '2', '3']);
    assert.deepEqual(await rebuild(system, '--dry-run').then(({ code, stdout }) => [code, stdout.split('\n')[1]]), [
      0,
      'the live view is the same',
    ]);
    tamper(system, "UPDATE orders SET status = 'cancelled', version = 9 WHERE order_id = 'ORD-2'");
    tamper(system, "DELETE FROM orders WHERE order_id = 'ORD-3'");

    const { code, stdout } = await rebuild(system);
    assert.equal(code, 1, 'something was found');
    assert.match(stdout, /^built from 6 messages of orders\.events in .* s: 3 orders, 0 pending, 0 dead letters$/m);
    assert.match(stdout, /^2 orders differ$/m);
    assert.match(stdout, /^ {2}ORD-2: live version 9, cancelled; log version 2, confirmed$/m);
    assert.match(stdout, /^ {2}ORD-3: live missing; log version 2, confirmed, there$/m);
    assert.match(stdout, /an Order Service is running on the view: it takes up .*order_view\.rebuilt\.sqlite/);
    assert.equal(await statusOf(system.order.url, '2'), 'cancelled', 'until then, nothing changes');

    await updateOrder(system.cart.url, { order_id: '1', status: 'processing' });
    await system.order.kill();
    const again = await startService('order_service', system.env);
    t.after(() => again.stop());
    assert.ok(again.output.some((line) => line.includes('took up the rebuilt view')));
    assert.equal(await statusOf(again.url, '2'), 'confirmed');
    assert.equal(await statusOf(again.url, '3'), 'confirmed');
    // What came after the rebuild is read from the log.
    await eventually(async () => assert.equal(await statusOf(again.url, '1'), 'processing'));
    assert.equal((await rebuild(system, '--dry-run')).code, 0);
  });

  test('without a service, exchanges the views at once, also where the service was killed, and keeps the former', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1', '2']);
    tamper(system, "UPDATE orders SET status = 'shipped' WHERE order_id = 'ORD-1'");
    await system.order.kill();
    const { code, stdout } = await rebuild(system, '--json');
    const result = JSON.parse(stdout) as { ending: string; comparison: { count: number } };
    assert.deepEqual([code, result.ending, result.comparison.count], [1, 'exchanged', 1]);
    assert.ok(existsSync(join(filesOf(system), 'order_view.sqlite.before-rebuild')));
    assert.equal((await rebuild(system)).code, 0, 'now they are the same');
    const again = await startService('order_service', system.env);
    t.after(() => again.stop());
    assert.equal(await statusOf(again.url, '1'), 'confirmed');
    assert.deepEqual(await orderIds(again.url, TOPIC), ['ORD-1', 'ORD-2'], 'in the order in which they came');
  });

  test('without a view, or with one that is none, builds one', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1']);
    await system.order.stop();
    const view = join(filesOf(system), 'order_view.sqlite');
    rmSync(view);
    const none = await rebuild(system);
    assert.equal(none.code, 0);
    assert.match(none.stdout, /there is no live view to compare with\nexchanged\n/);
    writeFileSync(view, 'no view at all, and long enough to be taken for a database by its first bytes');
    const broken = await rebuild(system);
    assert.equal(broken.code, 1);
    assert.match(broken.stdout, /the live view cannot be compared: .*not a database\nexchanged; /);
    assert.equal((await rebuild(system, '--dry-run')).code, 0);
  });

  test('that would lose orders, as the log does not have them, exchanges nothing unless it is forced', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1']);
    tamper(
      system,
      "INSERT INTO orders SELECT 99, 'ORD-99', version, status, customer_id, ordered_at, NULL, body FROM orders",
    );
    await system.order.stop();
    const refused = await rebuild(system);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /nothing was exchanged, as 1 orders are not in the log; --force/);
    assert.ok(!readdirSync(filesOf(system)).some((name) => /before|rebuilt|rebuilding$/.test(name)));
    assert.match((await rebuild(system, '--force')).stdout, /^exchanged; /m);
  });

  test('knows dead letters and what became of those that were redriven', async (t) => {
    const system = await startSystem(t);
    await publishPoison(system.env);
    const { url } = system.order;
    await eventually(async () => assert.equal((await lettersAt(url)).length, 2));
    assert.equal((await runCli(['redrive', '--url', url, '--id', '1', '--yes'])).code, 1);
    const before = await lettersAt(url);
    assert.equal(before.length, 3);
    await system.order.stop();
    assert.equal((await rebuild(system)).code, 0);
    const again = await startService('order_service', system.env);
    t.after(() => again.stop());
    assert.deepEqual(new Set(await lettersAt(again.url)), new Set(before));
  });

  test('beside two services on one view, waits for both', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1']);
    const second = await startService('order_service', { ...system.env, CONSUMER_MEMBER_ID: 'second' });
    t.after(() => second.stop());
    assert.equal((await rebuild(system)).code, 0);
    await system.order.stop();
    const third = await startService('order_service', { ...system.env, CONSUMER_MEMBER_ID: 'third' });
    t.after(() => third.stop());
    assert.ok(third.output.some((line) => line.includes('a rebuilt view waits until no other process works on')));
    await Promise.all([second.stop(), third.stop()]);
    assert.match((await rebuild(system)).stdout, /^exchanged; /m);
  });

  test('interrupted, leaves everything as it was and ends with 130', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1']);
    await system.order.stop();
    const files = (): string[] => readdirSync(filesOf(system)).filter((name) => !/-(shm|wal|journal)$/.test(name));
    const before = files();
    await publishPoison(system.env, 20_000);
    const command = startCli(['rebuild'], system.env);
    await eventually(() => assert.ok(existsSync(join(filesOf(system), 'order_view.rebuilding'))));
    command.kill('SIGINT');
    assert.deepEqual(await command.ended.then(({ code, stdout }) => [code, stdout]), [130, '']);
    assert.deepEqual(new Set(files()), new Set([...before, 'order_view.rebuilding.lock']));
  });

  test('without a broker or its topic, ends with 3 and makes nothing', async () => {
    const env = { DATA_DIR: join(tempDir(), 'none') };
    const { code, stderr } = await runCli(['rebuild'], env);
    assert.equal(code, 3);
    assert.match(stderr, /there is no embedded broker in/);
    assert.ok(!existsSync(env.DATA_DIR));
    const wrong = await runCli(['rebuild'], { DATA_DIR: tempDir(), KAFKA_BOOTSTRAP_SERVERS: 'nonsense' });
    assert.equal(wrong.code, 2);
  });
});

const kafka = { bootstrapServers: '', skip: false, ...kafkaForTests() };

describe('the commands that use the broker, on Apache Kafka', { skip: kafka.skip }, () => {
  test('tail --topic reads the topic, and rebuild builds its view, while the services run', async (t) => {
    const topic = `orders-${randomUUID()}`;
    const env = {
      DATA_DIR: tempDir(),
      KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
      ORDERS_TOPIC: topic,
      CONSUMER_GROUP: `group-${randomUUID()}`,
      CONSUMER_MEMBER_ID: 'member',
    };
    const system = await startSystem(t, env);
    await createOrders(system, ['1', '2', '3']);
    const tail = await runCli(['tail', '--topic', topic, '--from', 'earliest', '--limit', '6', '--json'], env);
    assert.equal(tail.code, 0, tail.stderr);
    const expected = ['1', '2', '3'].flatMap((id) => [`ORD-${id} new`, `ORD-${id} confirmed`]);
    assert.deepEqual(short(tail.stdout), expected);
    const { code, stdout, stderr } = await runCli(['rebuild'], env);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^built from 6 messages .*\nthe live view is the same\nan Order Service is running/);
  });
});
