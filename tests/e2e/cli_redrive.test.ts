import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { created } from '#tests/support/events.ts';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, orderDetails, updateOrder } from './api.ts';
import { runCli } from './cli_process.ts';
import { ESCAPE, jsonLines, unusedUrl, publishPoison, startSystem } from './cli_system.ts';

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

  test('lists the held letters, without a character that acts on the terminal', async (t) => {
    const { run } = await startWithLetters(t);
    const { code, stdout, stderr } = await run([]);
    assert.deepEqual([code, stderr], [0, '2 letters are held\n']);
    assert.ok(!stdout.includes(ESCAPE));
    assert.match(
      stdout,
      /^\d {2}orders\.events \d@0 {2}key "2" {2}stored \S+Z\n {4}the value is not JSON\n {4}"\\u\{1b\}\[2Jgone"$/m,
    );
    assert.equal((await run(['--reason', 'no such reason', '--yes'])).code, 0);
    assert.equal((await run(['--id', '9', '--yes'])).code, 1);
  });

  test('publishes a letter with a repaired value, then the others, and prints the outcomes', async (t) => {
    const { url, run } = await startWithLetters(t);
    const letters = jsonLines<Held & { key: { text: string } }>((await run(['--list', '--json'])).stdout);
    const id = String(letters.find(({ key }) => key.text === '1')?.id);
    const file = join(tempDir(), 'value.json');
    const event = { event_id: 'e', event_type: 'ORDER_STATUS_UPDATED', timestamp: '2026-01-18T12:00:00Z' };
    writeFileSync(file, `${JSON.stringify({ ...event, order_id: 'ORD-7', version: 2, status: 'shipped' })}\n`);

    const asked = await run(['--id', id]);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /nobody can confirm: give --yes/);
    const dry = await run(['--id', id, '--dry-run']);
    assert.deepEqual([dry.code, dry.stderr.endsWith('1 would be published\n')], [0, true]);

    const repaired = await run(['--id', id, '--value-file', file, '--new-key', 'ORD-7', '--yes']);
    assert.deepEqual([repaired.code, repaired.stdout], [0, '1 waiting for their order\n']);
    const pending = (await (await fetch(`${url}/pending-statuses`)).json()) as { pendingStatuses: unknown[] };
    assert.equal(pending.pendingStatuses.length, 1);

    const rest = await run(['--all', '--yes', '--json']);
    assert.equal(rest.code, 1, 'the other letter is a dead letter again');
    assert.deepEqual(
      jsonLines<{ outcome: string }>(rest.stdout).map(({ outcome }) => outcome),
      ['dead_letter'],
    );
    const again = await run(['--id', id, '--yes']);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /no held letter has 1 of the ids/);
  });

  test('brings an order back to both services', async (t) => {
    const system = await startSystem(t);
    await publishPoison(system.env);
    const { order } = system;
    const file = join(tempDir(), 'value.json');
    writeFileSync(file, encodeEvent(created('ORD-7'), '').value);
    const run: typeof runCli = (args) => runCli(['redrive', '--url', order.url, ...args]);
    await eventually(async () => assert.match((await run(['--list'])).stdout, /key "1"/));
    const repair = ['--value-file', file, '--new-key', 'ORD-7', '--yes'];
    assert.deepEqual((await run(['--id', '1', ...repair])).stdout, '1 applied\n');

    assert.equal((await orderDetails(order.url, '7')).status, 200);
    await eventually(async () => {
      const { status } = await updateOrder(system.cart.url, { order_id: '7', status: 'confirmed' });
      assert.equal(status, 200);
    });
    assert.equal((await createOrder(system.cart.url, { order_id: '7', number_of_items: 1 })).status, 409);
    await eventually(async () => {
      const { body } = await orderDetails(order.url, '7');
      assert.equal((body['order'] as { status?: string }).status, 'confirmed');
    });
  });

  test('ends with 2 for options that do not go together', async () => {
    for (const [args, says] of [
      [['--all', '--id', '1'], /either --all, or --id/],
      [['--id', '1,x'], /--id is "1,x", but must be ids/],
      [['--all', '--new-key', 'x'], /need exactly one letter: give --id N/],
      [['--id', '1', '--value-file', 'no/such/file'], /--value-file no\/such\/file cannot be read: /],
    ] as const) {
      const { code, stderr } = await runCli(['redrive', ...args]);
      assert.equal(code, 2);
      assert.match(stderr, says);
    }
  });

  test('ends with 3 if the service does not answer', async () => {
    const { code, stderr } = await runCli(['redrive', '--url', await unusedUrl()]);
    assert.equal(code, 3);
    assert.match(stderr, /the Order Service does not answer at/);
  });
});
