import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONSOLE_ORIGIN, useTestCart } from '#tests/support/cart_app.ts';

const cart = useTestCart();

const request = (method: string, url: string, headers: Record<string, string>) =>
  cart.app.inject({ method: method as 'GET', url, headers });

const preflight = (method: string, url: string, origin: string) =>
  request('OPTIONS', url, { origin, 'access-control-request-method': method });

const corsHeaders = (headers: Record<string, unknown>): string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

for (const [method, url] of [
  ['POST', '/create-order'],
  ['PUT', '/update-order'],
  ['GET', '/health/ready'],
] as const) {
  test(`a page of the console may ${method} ${url}`, async () => {
    const asked = await preflight(method, url, CONSOLE_ORIGIN);
    assert.equal(asked.statusCode, 204);
    assert.equal(asked.headers['access-control-allow-origin'], CONSOLE_ORIGIN);
    assert.match(String(asked.headers['access-control-allow-methods']), new RegExp(`\\b${method}\\b`));
    assert.equal(asked.headers['access-control-allow-headers'], 'content-type, idempotency-key, traceparent');
    const answered = await request(method, url, { origin: CONSOLE_ORIGIN });
    assert.equal(answered.headers['access-control-allow-origin'], CONSOLE_ORIGIN);
    assert.equal(answered.headers['access-control-expose-headers'], 'retry-after');
    assert.match(String(answered.headers['vary']), /\borigin\b/i);
  });
}

test('a page of another origin gets no CORS header, and the answer of any client', async () => {
  for (const origin of [
    'http://localhost:8002',
    'https://localhost:8001',
    'http://localhost:8001.evil.example',
    'null',
  ]) {
    assert.deepEqual(corsHeaders((await preflight('POST', '/create-order', origin)).headers), []);
    const answered = await request('GET', '/health/ready', { origin });
    assert.deepEqual([answered.statusCode, corsHeaders(answered.headers)], [200, []]);
  }
});

test('a route that the console does not call has no CORS header for any page', async () => {
  for (const [method, url] of [
    ['GET', '/metrics'],
    ['GET', '/health/live'],
    ['DELETE', '/create-order'],
    ['GET', '/nothing'],
  ] as const) {
    assert.deepEqual(corsHeaders((await preflight(method, url, CONSOLE_ORIGIN)).headers), []);
    assert.deepEqual(corsHeaders((await request(method, url, { origin: CONSOLE_ORIGIN })).headers), []);
  }
});

test('OPTIONS is not a route, unless it is a preflight of the console', async () => {
  const response = await request('OPTIONS', '/create-order', {});
  assert.deepEqual([response.statusCode, response.json().code], [405, 'MethodNotAllowed']);
  assert.equal(response.headers['allow'], 'POST');
});
