import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { kafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { orderDetails, orderIds, updateOrder } from './api.ts';
import { runCli, startCli } from './cli_process.ts';
import { createOrders, publishPoison, short, startSystem, type System, TOPIC } from './cli_system.ts';
import { startService } from './service_process.ts';

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
    assert.match(refused.stdout, /nothing was exchanged, because 1 orders are not in the log; --force/);
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
