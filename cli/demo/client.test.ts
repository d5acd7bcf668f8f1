import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { createDemoClient, retryAfterMs } from './client.ts';
import type { DemoRequest } from './plan.ts';

const REQUEST: DemoRequest = {
  method: 'POST',
  path: '/create-order',
  body: { order_id: '1' },
  idempotencyKey: 'demo-1',
};

/** A Cart Service that gives these answers in turn; for null it closes the connection instead. */
const cartOf = async (t: TestContext, answers: readonly (readonly [status: number, body: unknown] | null)[]) => {
  const keys: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const answer = answers[keys.length];
    keys.push(request.headers['idempotency-key'] as string | undefined);
    if (!answer) {
      request.socket.destroy();
      return;
    }
    response
      .writeHead(answer[0], { 'content-type': 'application/json', 'retry-after': '0' })
      .end(JSON.stringify(answer[1]));
  }).listen(0, 'localhost');
  await once(server, 'listening');
  t.after(() => server.close());
  const retries: string[] = [];
  const client = createDemoClient({
    cart: { name: 'Cart Service', url: `http://localhost:${(server.address() as AddressInfo).port}` },
    signal: new AbortController().signal,
    onRetry: (reason) => retries.push(reason),
  });
  return { client, keys, retries };
};

describe('the client of the demo', () => {
  test('sends a request again under the same key after a 503 and after a lost connection', async (t) => {
    const { client, keys, retries } = await cartOf(t, [
      [503, { code: 'KafkaTimeout', outcome: 'unknown' }],
      null,
      [200, {}],
    ]);
    assert.deepEqual(await client.send(REQUEST, 'once'), [{ status: 200, code: null }]);
    assert.deepEqual(keys, ['demo-1', 'demo-1', 'demo-1']);
    assert.equal(retries[0], '503 KafkaTimeout');
    assert.equal(retries.length, 2);
  });

  test('returns any other answer and does not repeat the request', async (t) => {
    const { client, keys } = await cartOf(t, [[409, { code: 'OrderAlreadyExists' }]]);
    assert.deepEqual(await client.send(REQUEST, 'once'), [{ status: 409, code: 'OrderAlreadyExists' }]);
    assert.equal(keys.length, 1);
  });

  test('returns both answers to a customer who sends twice', async (t) => {
    const { client } = await cartOf(t, [
      [200, {}],
      [409, { code: 'OrderAlreadyExists' }],
    ]);
    assert.deepEqual(await client.send(REQUEST, 'again'), [
      { status: 200, code: null },
      { status: 409, code: 'OrderAlreadyExists' },
    ]);
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-01-18T12:00:00Z');
  for (const [header, expected] of [
    ['2', 2_000],
    ['Sun, 18 Jan 2026 12:00:03 GMT', 3_000],
    ['Sun, 18 Jan 2026 11:00:00 GMT', 0],
    ['99999', 10_000],
    ['soon', 1_000],
    [null, 1_000],
  ] as const) {
    test(`returns ${expected} for ${JSON.stringify(header)}`, () => assert.equal(retryAfterMs(header, now), expected));
  }
});
