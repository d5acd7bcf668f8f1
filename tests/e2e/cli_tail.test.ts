import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { freePorts } from '#tests/kafka/free_ports.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, updateOrder } from './api.ts';
import { runCli, startCli } from './cli_process.ts';
import { createOrders, ESCAPE, unusedUrl, publishPoison, short, startSystem, TOPIC } from './cli_system.ts';
import { startService } from './service_process.ts';

describe('npm run tail', () => {
  test('shows the past events of an order, then its new ones, over a restart of the service', async (t) => {
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

  test('says that the view was built again, and shows what comes then', async (t) => {
    const system = await startSystem(t);
    const port = new URL(system.order.url).port;
    await createOrders(system, ['1', '2']);
    const tail = startCli(['tail', '--from', 'earliest', '--json'], { ORDER_PORT: port });
    t.after(() => tail.kill('SIGKILL'));
    await eventually(() => assert.equal(short(tail.output()).length, 4));
    await system.order.stop();
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(join(system.env['DATA_DIR'] ?? '', 'embedded', `order_view.sqlite${suffix}`), { force: true });
    const again = await startService('order_service', { ...system.env, ORDER_PORT: port });
    t.after(() => again.stop());
    await eventually(() =>
      assert.match(tail.notes(), /some events can be missing here.*is not of an event of this view/),
    );
    // The new view has fewer events than the former one had, or as many.
    await createOrder(system.cart.url, { order_id: '3', number_of_items: 1 });
    await eventually(() => assert.ok(short(tail.output()).includes('ORD-3 new')));
    tail.kill('SIGINT');
    await tail.ended;
  });

  test('shows only new events, in lines for people, until it is interrupted', async (t) => {
    const system = await startSystem(t);
    await createOrders(system, ['1']);
    const tail = startCli(['tail', '--url', system.order.url]);
    // It shows nothing that comes before it is connected.
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

  test('reads a topic without any service, even messages that cannot be decoded', async (t) => {
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

  test('ends with 3 and creates nothing if there is no service, broker or Kafka', async () => {
    const env = { DATA_DIR: join(tempDir(), 'none') };
    const noService = await runCli(['tail', '--url', await unusedUrl()]);
    assert.equal(noService.code, 3);
    assert.match(noService.stderr, /the Order Service does not answer at/);
    const noBroker = await runCli(['tail', '--topic', TOPIC], env);
    assert.equal(noBroker.code, 3);
    assert.match(noBroker.stderr, /there is no embedded broker in .*none/);
    const [port] = await freePorts(1);
    const noKafka = await runCli(['tail', '--topic', TOPIC], { KAFKA_BOOTSTRAP_SERVERS: `localhost:${port}` });
    assert.equal(noKafka.code, 3, noKafka.stderr);
  });

  test('ends with 2 for a wrong order id or setting', async () => {
    assert.match((await runCli(['tail', '--order', 'x'])).stderr, /--order is "x", but must be an order id/);
    const { code, stderr } = await runCli(['tail', '--topic', TOPIC], { TOPIC_PARTITIONS: 'x' });
    assert.equal(code, 2);
    assert.match(stderr, /TOPIC_PARTITIONS is "x"/);
  });
});
