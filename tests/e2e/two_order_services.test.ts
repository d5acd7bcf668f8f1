import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, orderDetails } from './api.ts';
import { startService } from './service_process.ts';

/** Far less than the requests are ready to wait. */
const SOON_MS = 5_000;

test('two Order Services on one view hear what the other one applies, by waiting and by the stream', async (t) => {
  const env = { DATA_DIR: tempDir() };
  const services = await Promise.all([
    startService('cart_service', env),
    startService('order_service', { ...env, CONSUMER_MEMBER_ID: 'first' }),
    startService('order_service', { ...env, CONSUMER_MEMBER_ID: 'second' }),
  ]);
  t.after(() => Promise.all(services.map((service) => service.stop())));
  const [cart, ...orders] = services;
  for (const { url } of services) await eventually(async () => assert.ok(await isReady(url)));

  const ids = Array.from({ length: 12 }, (_, n) => String(n + 1));
  const leave = new AbortController();
  t.after(() => leave.abort());
  const streams = await Promise.all(
    orders.map(async ({ url }) => {
      const { body } = await fetch(`${url}/events/stream`, { signal: leave.signal });
      let text = '';
      void body
        ?.pipeThrough(new TextDecoderStream())
        .pipeTo(new WritableStream({ write: (part) => void (text += part) }))
        .catch(() => {});
      return () => text.match(/"orderId":"ORD-\d+"/g) ?? [];
    }),
  );
  const waits = orders.flatMap(({ url }) => ids.map((id) => orderDetails(url, id, { prefer: 'wait=15' })));
  const began = performance.now();
  await Promise.all(ids.map((id) => createOrder(cart?.url ?? '', { order_id: id, number_of_items: 1 })));
  assert.ok((await Promise.all(waits)).every(({ status }) => status === 200));
  const tookMs = performance.now() - began;
  assert.ok(tookMs < SOON_MS, `the last answer came after ${Math.round(tookMs)} ms`);
  for (const sent of streams) await eventually(() => assert.equal(new Set(sent()).size, ids.length));
});
