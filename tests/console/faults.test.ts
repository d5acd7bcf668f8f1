import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { createOrder } from '#tests/e2e/api.ts';
import { eventually } from '#tests/support/eventually.ts';
import { type KafkaBroker, startKafka } from '#tests/kafka/apache_kafka.ts';
import { ownKafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { chromiumForTests, see, useChromium } from './chromium.ts';
import { type ConsoleSystem, startSystem } from './system.ts';

const chromium = chromiumForTests();
const { skip } = chromium.skip === false ? await ownKafkaForTests() : chromium;
/** A fault must be visible within this time. */
const SEEN_MS = 2_000;

describe('the console, during faults,', { skip }, () => {
  const browser = useChromium();
  let kafka: KafkaBroker;
  let system: ConsoleSystem;
  let page: Page;

  before(async () => {
    kafka = await startKafka();
    system = await startSystem({ KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers });
    page = await browser.open(`${system.url}/`);
    await see(page, '.verdict', 'All well');
  });

  after(async () => {
    await Promise.all([system.stop(), kafka.stop()]);
  });

  test('shows that the broker cannot be reached, at each place that needs it, and that it is back', async () => {
    await kafka.kill();
    const since = performance.now();
    await see(page, '[data-place=topic]', 'Broker not reachable', SEEN_MS);
    await see(page, '[data-place=consume]', 'Consumer reconnecting', SEEN_MS);
    await see(page, '.verdict.bad', 'Broker not reachable', SEEN_MS);
    const seenMs = performance.now() - since;
    assert.ok(seenMs < SEEN_MS, `${seenMs} ms`);
    // A write meanwhile gets a 503, which makes the Cart Service notice.
    assert.equal((await createOrder(system.cart, { order_id: '1', number_of_items: 1 })).status, 503);
    await see(page, '[data-place=publish]', 'Cannot publish', SEEN_MS);
    await kafka.restart();
    await see(page, '.verdict', 'All well', 30_000);
    await eventually(async () => {
      const { status } = await createOrder(system.cart, { order_id: '2', number_of_items: 1 });
      assert.ok(status === 200 || status === 409);
    });
    await see(page, '.latest', 'ORD-2');
  });

  test('shows that the Cart Service is down, and that it is back', async () => {
    await system.kill('cart_service');
    await see(page, '[data-place=cart]', 'Not reachable', SEEN_MS);
    await system.start('cart_service');
    await see(page, '.verdict', 'All well', 30_000);
  });

  test('survives a restart of the Order Service, and shows the orders that came meanwhile', async () => {
    await page.goto(`${system.url}/#/orders`);
    await see(page, '.list', 'ORD-2');
    await system.kill('order_service');
    await see(page, '.verdict.bad', 'Order Service does not answer', SEEN_MS);
    await see(page, '.list', 'ORD-2');
    assert.equal((await createOrder(system.cart, { order_id: '3', number_of_items: 1 })).status, 200);
    await system.start('order_service');
    await see(page, '.verdict', 'All well', 30_000);
    await see(page, '.list', 'ORD-3');
    assert.equal((await createOrder(system.cart, { order_id: '4', number_of_items: 1 })).status, 200);
    await see(page, '.list', 'ORD-4');
  });

  test('distinguishes a Cart Service that refuses it from one that is down', async () => {
    await system.kill('cart_service');
    await system.start('cart_service', { CONSOLE_ORIGINS: 'http://elsewhere.example' });
    await page.goto(`${system.url}/#/flow`);
    await see(page, '[data-place=cart]', 'Runs, but refuses this page');
    await see(page, '[data-place=cart]', 'CONSOLE_ORIGINS');
  });
});
