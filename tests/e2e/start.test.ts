import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder } from './api.ts';
import { type CliProcess, startScript } from './cli_process.ts';
import { unusedUrl } from './cli_system.ts';

const start = (t: TestContext, env: Record<string, string>, ...args: string[]): CliProcess => {
  const places = { DATA_DIR: tempDir(), CART_PORT: '0', ORDER_PORT: '0', LOG_FORMAT: 'json' };
  const started = startScript('services/start.ts', args, { ...places, ...env });
  t.after(async () => {
    started.kill('SIGTERM');
    await started.ended;
  });
  return started;
};

/** The output for people: without the lines of the log. */
const said = (output: string): string => output.replaceAll(/^\{.*\}\n/gm, '');

describe('npm start', () => {
  test('prints where both services are and commands that work, and ends both services with itself', async (t) => {
    const { output, kill, ended } = start(t, {});
    await eventually(() => assert.match(said(output()), /Ctrl\+C stops both\.\n/));
    assert.match(said(output()), /^order-events is running on the embedded broker in /m);
    const [, cart] = /curl -X POST (\S+)\/create-order/.exec(said(output())) ?? [];
    const [, read] = /curl "(\S+)" -H "Prefer: wait=5"/.exec(said(output())) ?? [];
    assert.equal((await createOrder(String(cart), { order_id: '123', number_of_items: 3 })).status, 200);
    assert.equal((await fetch(String(read), { headers: { prefer: 'wait=5' } })).status, 200);

    kill('SIGINT');
    assert.equal((await ended).code, 0);
    await assert.rejects(fetch(`${cart}/health/live`));
  });

  test('of one service does not mention the other', async (t) => {
    const { output } = start(t, {}, 'cart_service');
    await eventually(() => assert.match(said(output()), /Ctrl\+C stops it\.\n/));
    assert.match(said(output()), /Cart Service/);
    assert.doesNotMatch(said(output()), /Order Service|Console/);
  });

  test('says what is wrong if Kafka cannot be reached', async (t) => {
    const kafka = new URL(await unusedUrl()).host;
    const { output } = start(t, { KAFKA_BOOTSTRAP_SERVERS: kafka });
    await eventually(() => assert.match(said(output()), /Ctrl\+C stops both\.\n/));
    assert.doesNotMatch(said(output()), /is running/);
    assert.match(
      said(output()),
      new RegExp(
        `cannot work yet with Apache Kafka at ${kafka}:\\n\\n {2}Cart Service {4}Connection to ${kafka} failed`,
      ),
    );
  });

  test('with a wrong setting names it, once', async (t) => {
    const { code, stdout, stderr } = await start(t, { QUEUE_LIMIT: 'many' }).ended;
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^cannot start: QUEUE_LIMIT is "many", but must be .*\n$/);
  });
});
