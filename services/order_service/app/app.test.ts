import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Check } from '#service_common/http/health.ts';
import type { RunnerStatus } from '#order_service/consuming/runner_status.ts';
import { CONSUMING, createTestApp, newApp, TOPIC } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

before(async () => {
  service = await createTestApp();
  await service.arrive('ORD-123');
});

after(() => service.close());

describe('readiness', () => {
  const CASES: readonly (readonly [string, Partial<RunnerStatus>, number, readonly string[]])[] = [
    ['consuming', {}, 200, []],
    ['starting', { state: 'starting', reason: 'not yet' }, 503, ['broker', 'assignment']],
    ['waiting for the topic', { state: 'waiting_for_topic', reason: 'no topic' }, 503, ['topic', 'assignment']],
    ['reconnecting', { state: 'reconnecting', attempt: 3, reason: 'gone' }, 503, ['broker', 'assignment']],
    ['consuming but unable to store', { storeFailure: 'disk is full' }, 503, ['store']],
  ];
  for (const [circumstance, changes, expected, failed] of CASES) {
    test(`while ${circumstance} is ${expected}`, async () => {
      const app = await newApp({ ...service, runnerStatus: () => ({ ...CONSUMING, ...changes }) });
      const response = await app.inject('/health/ready');
      assert.equal(response.statusCode, expected);
      const { reason, checks } = response.json();
      assert.equal(reason === null, expected === 200);
      const failing = (checks as Check[]).filter(({ ok }) => !ok);
      assert.deepEqual(
        failing.map(({ name }) => name),
        failed,
      );
      assert.ok(failing.every((check) => check.reason !== null));
    });
  }
});

test('GET /settings shows the settings in force', async () => {
  const { body } = await service.get('/settings');
  assert.equal(body.service, 'Order Service');
  assert.equal(body.versions.node, process.versions.node);
  assert.deepEqual(
    body.settings.find(({ name }: { name: string }) => name === 'ORDERS_TOPIC'),
    { name: 'ORDERS_TOPIC', value: 'orders.events', isDefault: true },
  );
});

test('unknown routes and methods get problems, and HEAD is answered like GET', async () => {
  for (const [method, url, status, code] of [
    ['GET', '/nothing', 404, 'RouteNotFound'],
    ['GET', '/order-details/', 404, 'RouteNotFound'],
    ['POST', '/order-details?orderId=123', 405, 'MethodNotAllowed'],
    ['DELETE', '/dead-letters', 405, 'MethodNotAllowed'],
    ['OPTIONS', '/order-details', 405, 'MethodNotAllowed'],
  ] as const) {
    const response = await service.app.inject({ method, url });
    assert.deepEqual([response.statusCode, response.json().code], [status, code]);
  }
  for (const [url, status] of [
    ['/order-details?orderId=123', 200],
    ['/order-details?orderId=404', 404],
    ['/order-details', 400],
    [`/getAllOrderIdsFromTopic?topicName=${TOPIC}`, 200],
  ] as const) {
    const response = await service.app.inject({ method: 'HEAD', url });
    assert.deepEqual([response.statusCode, response.body], [status, '']);
  }
});

test('no query and no header, however broken, makes the service fail', async () => {
  const path = fc.constantFrom('/order-details', '/getAllOrderIdsFromTopic', '/dead-letters', '/pending-statuses');
  const name = fc.oneof(fc.constantFrom('orderId', 'topicName', 'after', 'limit', '__proto__'), fc.string());
  const value = fc.oneof(fc.string({ unit: 'binary' }).map(percentEncode), fc.string(), fc.nat().map(String));
  const query = fc
    .array(fc.tuple(name, value), { maxLength: 4 })
    .map((pairs) => pairs.map((pair) => pair.join('=')).join('&'));
  const latin1 = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
  const prefer = fc.oneof(
    latin1,
    latin1.map((text) => `wait=${text}`),
  );
  await fc.assert(
    fc.asyncProperty(path, query, fc.record({ prefer, accept: latin1, 'content-type': latin1 }), async (...request) => {
      const [to, asked, headers] = request;
      const response = await service.app.inject({
        url: `${to}?${asked}`,
        headers: { ...headers, prefer: noLongWait(headers.prefer) },
      });
      assert.ok(response.statusCode < 500, `${response.statusCode}: ${response.body}`);
    }),
    { numRuns: 1_000 },
  );
});

const percentEncode = (text: string): string => encodeURIComponent(text.toWellFormed());

/** A random preference can be valid, and the test would wait for it. */
const noLongWait = (prefer: string): string => prefer.replace(/^wait=\d+/, 'wait=0');
