import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { orderIds } from './api.ts';
import { runCli, startCli } from './cli_process.ts';
import { unusedUrl, startSystem, TOPIC } from './cli_system.ts';

/** Runs the commands as people and scripts do, against both services on the embedded broker. */

describe('every command', () => {
  for (const { name, options } of COMMANDS) {
    test(`${name} --help names all its options and exit codes, and ends with 0`, async () => {
      const { code, stdout, stderr } = await runCli([name, '--help']);
      assert.deepEqual([code, stderr], [0, '']);
      for (const option of Object.keys(options)) assert.ok(stdout.includes(`--${option}`), option);
      for (const exit of ['0', '1', '2', '3', '130']) assert.match(stdout, new RegExp(`^  ${exit} `, 'm'));
    });

    test(`${name} with an unknown option says so and ends with 2`, async () => {
      const { code, stdout, stderr } = await runCli([name, '--no-such']);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /unknown option --no-such\n.*--help/);
    });
  }

  test('unknown commands are refused with the list of commands', async () => {
    const { code, stderr } = await runCli(['dmo']);
    assert.equal(code, 2);
    assert.match(stderr, /unknown command "dmo"; the commands are demo, tail, redrive, rebuild/);
  });
});

describe('npm run demo', () => {
  const fast = ['--rate', '100', '--pause', '5'];

  test('plays whole lives of orders and finds nothing unexpected', async (t) => {
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

  test('prints a summary for people', async (t) => {
    const { cart, order } = await startSystem(t);
    const env = { CART_PORT: new URL(cart.url).port, ORDER_PORT: new URL(order.url).port };
    const { code, stdout } = await runCli(['demo', '--orders', '5', '--mix', 'complete=1', ...fast], env);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^5 orders in .* s, 5 created \(seed 1, run \d+\)$/m);
    assert.match(stdout, /^  completed +5$/m);
    assert.match(stdout, /^nothing unexpected$/m);
  });

  test('ends with 1 and names the order if the Order Service does not have it', async (t) => {
    const { cart } = await startSystem(t);
    const other = await startSystem(t);
    const args = ['demo', '--cart', cart.url, '--order', other.order.url, '--orders', '1', '--mix', 'open=1', ...fast];
    const { code, stdout } = await runCli(args);
    assert.equal(code, 1);
    assert.match(stdout, /^unexpected: 1\n {2}ORD-\d+ cannot be read 10 s after its 200 \(404\)$/m);
  });

  test('prints the summary and ends with 130 when it is interrupted', async (t) => {
    const { cart, order } = await startSystem(t);
    const demo = startCli(['demo', '--cart', cart.url, '--order', order.url, '--seconds', '600', '--rate', '50']);
    await eventually(async () => assert.ok((await orderIds(order.url, TOPIC)).length > 20));
    demo.kill('SIGINT');
    const { code, stdout } = await demo.ended;
    assert.equal(code, 130);
    assert.match(stdout, /orders in .* s, interrupted, \d+ created/);
  });

  test('ends with 3 and says what to start if a service does not answer', async () => {
    const { code, stdout, stderr } = await runCli(['demo', '--cart', await unusedUrl()]);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /the Cart Service does not answer at http:.*; start it with npm start/);
  });

  test('ends with 2 if both --orders and --seconds are given', async () => {
    const { code, stderr } = await runCli(['demo', '--orders', '5', '--seconds', '5']);
    assert.equal(code, 2);
    assert.match(stderr, /either --orders or --seconds/);
  });
});
