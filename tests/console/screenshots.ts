/** `npm run screenshots`: writes the pictures of the console in docs/images. It starts and stops a system for them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { OrderEvent } from '#kafka_common/events.ts';
import { ORDER_STATUSES } from '#kafka_common/models.ts';
import { createOrder, updateOrder } from '#tests/e2e/api.ts';
import { historyOf, toMessage } from '#tests/faults/direct_events.ts';
import { launchChromium, see } from './chromium.ts';
import { type ConsoleSystem, startSystem } from './system.ts';

const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
/** Long enough for charts that show something. */
const LOAD_MS = 100_000;
const TICK_MS = 100;
const SHOWN = 'ORD-20001';

/** Creates and changes orders at a varying rate. */
const load = async ({ cart }: ConsoleSystem): Promise<void> => {
  const begun = performance.now();
  let number = 30_000;
  while (performance.now() - begun < LOAD_MS) {
    const strength = 3 + 2.5 * Math.sin((performance.now() - begun) / 9_000);
    const created = Array.from({ length: Math.round(strength) }, () => (number += 1));
    await Promise.all(created.map((id) => createOrder(cart, { order_id: String(id), number_of_items: 1 + (id % 5) })));
    const earlier = String(Math.max(30_001, number - (number % 13)));
    await updateOrder(cart, { order_id: earlier, status: ORDER_STATUSES[1 + (number % 7)] });
    await sleep(TICK_MS);
  }
};

/** The event with the present time instead of the fixed one of the history. */
const now = (event: OrderEvent): OrderEvent => ({ ...event, timestamp: new Date().toISOString() });

/** Dead letters, a pending status, and an order with a history. */
const trouble = async (system: ConsoleSystem): Promise<void> => {
  await system.create({
    order_id: SHOWN,
    customer_id: 'CUST-00042',
    currency: 'EUR',
    items: [
      { item_id: 'ITEM-017', quantity: 2, price: 75.25 },
      { item_id: 'ITEM-204', quantity: 1, price: 12.5 },
      { item_id: 'ITEM-311', quantity: 4, price: 3.99 },
    ],
  });
  for (const status of ['confirmed', 'processing', 'shipped'])
    await updateOrder(system.cart, { order_id: SHOWN, status });
  const [, pending, confirmed] = historyOf(SHOWN, ['pending', 'confirmed']).map(now);
  const [, orphan] = historyOf('ORD-19977', ['shipped']).map(now);
  const [spoilt] = historyOf('ORD-20010', []).map(now);
  const good = toMessage(spoilt!);
  await system.publish([
    toMessage(confirmed!),
    toMessage(pending!),
    toMessage(orphan!),
    { key: 'ORD-20007', value: '{"event_type":"ORDER_CREATED","order_id":"ORD-20007"', headers: good.headers },
    { ...good, value: good.value.replace('"total_amount":150', '"total_amount":1500') },
    { key: 'ORD-20011', value: 'pay \u202egnp.exe\u202c <script>alert(1)</script>', headers: {} },
  ]);
};

const VIEWS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  flow: async (page) => {
    await see(page, '.verdict', 'All well');
    await see(page, '.latest', 'ORD-');
  },
  orders: async (page) => {
    await page.goto(`${page.url().split('#')[0]}#/orders/${SHOWN}`);
    await see(page, '.timeline', 'created');
    await page.locator('.list tbody tr').nth(20).waitFor();
  },
  held: async (page) => {
    await page.goto(`${page.url().split('#')[0]}#/attention/dead-letters`);
    await page.locator('.letter').nth(2).waitFor();
    await page.getByRole('button', { name: 'Open' }).first().click();
  },
};

const system = await startSystem({ ORDERS_TOPIC: 'orders.events', CONSUMER_GROUP: 'order-service' });
const browser = await launchChromium();
try {
  await trouble(system);
  const loading = load(system);
  const pages = await Promise.all(
    (['light', 'dark'] as const).map(async (colorScheme) => {
      const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 680 } });
      await page.goto(`${system.url}/`);
      return { page, colorScheme };
    }),
  );
  console.log(`A demo runs for ${LOAD_MS / 1_000} s, for the charts to have something to show.`);
  await sleep(LOAD_MS - 5_000);
  for (const [name, arrange] of Object.entries(VIEWS)) {
    for (const { page, colorScheme } of pages) {
      await page.bringToFront();
      await arrange(page);
      const path = `${IMAGES}console-${name}-${colorScheme}.png`;
      await page.screenshot({ path, animations: 'disabled' });
      console.log(`wrote ${path}`);
    }
  }
  await loading;
} finally {
  await browser.close();
  await system.stop();
}
