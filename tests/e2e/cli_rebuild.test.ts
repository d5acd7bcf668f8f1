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

/** The dead letters of a service, without the fields in which two views of one log may differ. */
const lettersAt = async (url: string): Promise<unknown[]> => {
  const reply = await fetch(`${url}/dead-letters?state=all`);
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
  test('beside a running service, prints the differences, and the next start uses the new view', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1', '2', '3']);
    assert.deepEqual(await rebuild(system, '--dry-run').then(({ code, stdout }) => [code, stdout.split('\n')[1]]), [
      0,
      'the live view is the same',
    ]);
    tamper(system, "UPDATE orders SET status = 'cancelled', version = 9 WHERE order_id = 'ORD-2'");
    tamper(system, "DELETE FROM orders WHERE order_id = 'ORD-3'");

    const { code, stdout } = await rebuild(system);
    assert.equal(code, 1, 'differences were found');
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

  test('exchanges the views at once if the service was killed, and keeps the former view', async (t) => {
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

  test('builds a view if there is none, or if its file is not a database', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1']);
    await system.order.stop();
    const view = join(filesOf(system), 'order_view.sqlite');
    rmSync(view);
    const none = await rebuild(system);
    assert.equal(none.code, 0);
    assert.match(none.stdout, /there is no live view to compare with\nexchanged\n/);
    writeFileSync(view, 'not a view, and long enough that its first bytes could be those of a database');
    const broken = await rebuild(system);
    assert.equal(broken.code, 1);
    assert.match(broken.stdout, /the live view cannot be compared: .*not a database\nexchanged; /);
    assert.equal((await rebuild(system, '--dry-run')).code, 0);
  });

  test('exchanges nothing without --force if orders would be lost that the log does not have', async (t) => {
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

  test('restores dead letters, and the outcomes of those that were redriven', async (t) => {
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

  test('exchanges the views only after both services on one view have stopped', async (t) => {
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

  test('leaves everything as it was and ends with 130 when it is interrupted', async (t) => {
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

  test('ends with 3 and creates nothing if there is no broker', async () => {
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
