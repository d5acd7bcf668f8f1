import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CART_URL, createTestApp } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

before(async () => {
  service = await createTestApp();
});

after(() => service.close());

const get = (url: string, headers: Record<string, string> = {}) => service.app.inject({ url, headers });

test('the page runs only files of this service, and calls only the two services', async () => {
  const { statusCode, headers, body } = await get('/');
  assert.equal(statusCode, 200);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  const [, importMap = ''] = /<script type="importmap">(.*?)<\/script>/.exec(body) ?? [];
  const policy = String(headers['content-security-policy']);
  const digest = createHash('sha256').update(importMap).digest('base64');
  assert.ok(policy.includes(`script-src 'self' 'sha256-${digest}';`), policy);
  assert.ok(policy.includes(`connect-src 'self' ${CART_URL};`), policy);
  assert.doesNotMatch(policy, /unsafe/);
  // The import map is the only script in the page itself, and nothing in it is an event handler or a style.
  assert.deepEqual(
    [...body.matchAll(/<script(?![^>]*\bsrc=)[^>]*>/g)].map(([tag]) => tag),
    ['<script type="importmap">'],
  );
  assert.doesNotMatch(body, /\s(on\w+|style)=|<style/i);
});

test('the page is answered 304 to a browser that has it', async () => {
  const { headers } = await get('/');
  const again = await get('/', { 'if-none-match': String(headers.etag) });
  assert.deepEqual([again.statusCode, again.body], [304, '']);
  assert.ok(again.headers['content-security-policy']);
});

test("every file that the page names is served with its type; libraries are immutable, the page's own files revalidated", async () => {
  const { body } = await get('/');
  const urls = [...body.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, url = '']) => url);
  assert.ok(urls.length >= 10, String(urls));
  for (const url of urls) {
    const { statusCode, headers } = await get(url);
    assert.equal(statusCode, 200, url);
    assert.equal(headers['x-content-type-options'], 'nosniff', url);
    assert.match(String(headers['content-type']), /^((text|application)\/javascript|text\/css|image\/svg)/, url);
    const isOwn = url.startsWith('/assets/console/');
    assert.equal(headers['cache-control'], isOwn ? 'no-cache' : 'public, max-age=31536000, immutable', url);
    assert.equal((await get(url, { 'if-none-match': String(headers.etag) })).statusCode, 304, url);
  }
});

test('what the page does not load is not served', async () => {
  for (const url of [
    '/assets/console/',
    '/assets/console/index.html',
    '/assets/console/tsconfig.json',
    '/assets/console/types.d.ts',
    '/assets/console/faults.test.ts',
    '/assets/console/..%2fmain.ts',
    '/assets/console/../main.ts',
    '/assets/console/%2e%2e/main.ts',
    '/assets/preact/package.json',
  ]) {
    const { statusCode, body } = await get(url);
    assert.equal(statusCode, 404, url);
    assert.equal(JSON.parse(body).code, 'RouteNotFound');
  }
});

test('the console gets the address of the Cart Service', async () => {
  assert.deepEqual((await get('/console.json')).json(), { cartUrl: CART_URL });
});
