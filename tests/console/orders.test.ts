import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { OrderEvent } from '#kafka_common/events.ts';
import type { Order } from '#kafka_common/models.ts';
import { updateOrder } from '#tests/e2e/api.ts';
import { eventually } from '#tests/support/eventually.ts';
import { historyOf, toMessage } from '#tests/faults/direct_events.ts';
import { chromiumForTests, see, useChromium } from './chromium.ts';
import { type ConsoleSystem, startSystem } from './system.ts';

const CREATED = {
  order_id: '1',
  customer_id: 'CUST-00042',
  currency: 'EUR',
  items: [{ item_id: 'ITEM-001', quantity: 2, price: 75.25 }],
};

/** The texts of that order. A field that is added to the order is a type error here until the console shows it. */
const SHOWN: { readonly [K in keyof Omit<Order, 'remarks'>]-?: string | RegExp } = {
  orderId: 'ORD-1',
  customerId: 'CUST-00042',
  orderDate: /Date\s*\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}/,
  items: /ITEM-001\s*2\s*75\.25/,
  totalAmount: /Total\s*150\.50/,
  currency: 'EUR',
  status: 'confirmed',
};

describe('the console', chromiumForTests(), () => {
  const browser = useChromium();
  let system: ConsoleSystem;

  before(async () => {
    system = await startSystem();
    await system.create(CREATED);
  });

  after(() => system.stop());

  test('shows the way of the events, each partition, and new events as they come', async () => {
    const page = await browser.open(`${system.url}/`);
    await see(page, '.verdict', 'All well');
    await see(page, '[data-place=cart]', 'Ready');
    await see(page, '[data-place=consume]', 'Consuming');
    await see(page, '[data-place=view]', 'Up to date');
    assert.equal(await page.locator('.partitions tbody tr').count(), 6);
    assert.equal(await page.locator('.chart canvas').count(), 3);
    await system.create({ order_id: '2', number_of_items: 1 });
    await see(page, '.latest', 'ORD-2');
    await see(page, '[data-place=view]', /Orders\s*2/);
  });

  test('shows an order with its events, and follows its changes', async () => {
    const page = await browser.open(`${system.url}/#/orders/ORD-1`);
    await see(page, '.order', 'CUST-00042');
    await see(page, '.order .items', '150.50 EUR');
    await see(page, '.order .items', '3.01 EUR');
    await see(page, '.timeline li', 'created');
    assert.equal((await updateOrder(system.cart, { order_id: '1', status: 'confirmed' })).status, 200);
    await see(page, '.order > .row .status', 'confirmed');
    await see(page, '.timeline li', /confirmed\s*version 2/);
    await see(page, '.list tr.open .status', 'confirmed');
  });

  test('shows every field of an order', async () => {
    const page = await browser.open(`${system.url}/#/orders/ORD-1`);
    for (const [field, text] of Object.entries(SHOWN)) {
      await see(page, '.order', text).catch(() => assert.fail(`${field} is not shown`));
    }
  });

  test('shows amounts as they were written, and what is unusual about them', async () => {
    const { key, value, headers } = toMessage(historyOf('ORD-72', [])[0]!);
    const body = value
      .replaceAll(/"price":[0-9.]+/g, '"price":45.31')
      .replaceAll(/"total_amount":[0-9.]+/g, '"total_amount":99.5')
      .replaceAll('"USD"', '"JPY"');
    await system.publish([{ key, value: body, headers }]);
    const page = await browser.open(`${system.url}/#/orders/ORD-72`);
    await see(page, '.order .items', '45.31 JPY');
    await see(page, '.order .items', '90.62 JPY');
    await see(page, '.order .items', '99.5 JPY');
    await see(page, '.order', 'The amounts have more decimals than the currency');
    await see(page, '.order', 'The total differs from the sum of the items');
  });

  test('marks events that are duplicates, late, or before their order', async () => {
    const [created, pending, confirmed] = historyOf('ORD-70', ['pending', 'confirmed']) as [
      OrderEvent,
      OrderEvent,
      OrderEvent,
    ];
    await system.publish([created, created, confirmed, pending].map(toMessage));
    const page = await browser.open(`${system.url}/#/orders/ORD-70`);
    await see(page, '.timeline li', /created\s*version 1\s*duplicate/);
    await see(page, '.timeline li', /pending\s*version 2\s*late/);
    await see(page, '.timeline li', /partition \d, offset \d/);

    const [, orphan] = historyOf('ORD-71', ['shipped']);
    await system.publish([toMessage(orphan!)]);
    await page.goto(`${system.url}/#/orders/ORD-71`);
    await see(page, '.order', 'The order itself has not come yet');
    await see(page, '.timeline li', /shipped\s*version 2\s*waiting/);
  });

  test('lists orders newest first, follows new ones, and finds them by id, customer and status', async () => {
    const page = await browser.open(`${system.url}/#/orders`);
    await system.create({ order_id: '80', number_of_items: 1 }, { order_id: '81', number_of_items: 1 });
    await eventually(async () => {
      const ids = await page.locator('.list tbody th').allTextContents();
      assert.deepEqual(ids.slice(0, 2), ['ORD-81', 'ORD-80']);
    });

    const search = page.getByRole('searchbox');
    await search.fill('CUST-00042');
    await search.press('Enter');
    await eventually(async () => {
      const customers = new Set(await page.locator('.list td:nth-child(2)').allTextContents());
      assert.deepEqual([...customers], ['CUST-00042']);
    });
    await page.getByLabel('Status').selectOption('cancelled');
    await see(page, '[role=status]', 'No order matches');
    assert.match(page.url(), /#\/orders\?status=cancelled&customer=CUST-00042$/);

    await search.fill('81');
    await search.press('Enter');
    await see(page, '.order h2', 'ORD-81');
    await page.goto(`${system.url}/#/orders/ORD-404`);
    await see(page, '.problem', 'order ORD-404 is not known');
    await see(page, '.problem', '404 OrderNotFound');
  });

  test('pages through the orders there and back, with one page in the document', async () => {
    await system.publish(
      Array.from({ length: 120 }, (_, n) => historyOf(`ORD-${90_000 + n}`, [])).flatMap((events) =>
        events.map(toMessage),
      ),
    );
    await eventually(async () => {
      const { counts } = (await (await fetch(`${system.url}/flow`)).json()) as { counts: { orders: number } };
      assert.ok(counts.orders > 120);
    });
    const page = await browser.open(`${system.url}/#/orders`);
    const ids = (): Promise<string[]> => page.locator('.list tbody th').allTextContents();
    await see(page, '.list', 'ORD-81');
    const pages = [await ids()];
    while (await page.getByRole('button', { name: 'Older' }).isEnabled()) {
      await page.getByRole('button', { name: 'Older' }).click();
      await eventually(async () => {
        const shown = await ids();
        assert.notDeepEqual(shown, pages.at(-1));
        assert.ok(shown.length <= 50);
        pages.push(shown);
      });
    }
    assert.equal(pages.length, 3);
    const all = pages.flat();
    assert.equal(new Set(all).size, all.length);
    assert.ok(all.length > 120);
    await page.reload();
    await eventually(async () => assert.deepEqual(await ids(), pages[2]));
    await page.goBack();
    await eventually(async () => assert.deepEqual(await ids(), pages[1]));
    await page.getByRole('button', { name: 'Newest' }).click();
    await eventually(async () => assert.deepEqual(await ids(), pages[0]));
  });

  test('creates an order and changes it, and shows request and answer to copy', async () => {
    const page = await browser.open(`${system.url}/#/commands`, { permissions: ['clipboard-read', 'clipboard-write'] });
    const create = page.locator('form[aria-labelledby=create]');
    await create.getByLabel('Order id').fill('500');
    await create.getByLabel('Idempotency-Key').fill("it's-a-key");
    await create.getByRole('button', { name: 'Create' }).click();
    await see(page, '.commands', '"orderId": "ORD-500"');
    await see(page, '[aria-label=Request]', '{"order_id":"500","number_of_items":3}');
    await page.getByRole('button', { name: /curl/ }).click();
    await see(page, '.copy', 'Copied');
    const copied = String(await page.evaluate('navigator.clipboard.readText()'));
    assert.ok(copied.startsWith(`curl -i -X POST '${system.cart}/create-order'`), copied);
    assert.ok(copied.includes(`-H 'idempotency-key: it'\\''s-a-key'`), copied);

    const update = page.locator('form[aria-labelledby=update]');
    await update.getByLabel('Order id').fill('500');
    await update.getByLabel('Status').selectOption('cancelled');
    await update.getByRole('button', { name: 'Change' }).click();
    await see(page, '.commands', 'order status updated');
    await update.getByLabel('Status').selectOption('shipped');
    await update.getByRole('button', { name: 'Change' }).click();
    await see(page, '.commands', '"code": "StatusNotAllowed"');
    await create.getByLabel('Number of items', { exact: true }).fill('many');
    await create.getByRole('button', { name: 'Create' }).click();
    await see(page, '.commands', '"field": "number_of_items"');
  });

  test('creates many orders, counts their outcomes, and can be stopped', async () => {
    const page = await browser.open(`${system.url}/#/commands`);
    const many = page.locator('form[aria-labelledby=bulk]');
    await many.getByLabel('Orders', { exact: true }).fill('40');
    await many.getByRole('button', { name: 'Create orders' }).click();
    await see(page, '[role=status]', 'Done: 40 of 40');
    await see(page, '.outcomes', /created\s*40/);

    await many.getByLabel('Orders', { exact: true }).fill('100000');
    await many.getByRole('button', { name: 'Create orders' }).click();
    await see(page, '.outcomes', /created/);
    await page.getByRole('link', { name: 'Flow' }).click();
    await page.getByRole('link', { name: 'Commands', exact: true }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await see(page, '[role=status]', /Stopped: [\d,]+ of 100,000/);
  });

  test('shows the health of both services, with their settings', async () => {
    const page = await browser.open(`${system.url}/#/health`);
    for (const name of ['Cart Service', 'Order Service']) {
      const service = `section[aria-label="${name}"]`;
      await see(page, `${service} [role=status]`, /Ready$/);
      await see(page, `${service} .settings tr.given`, /ORDERS_TOPIC\s*orders-.*set/);
      await see(page, `${service} .settings tr.default`, /HOST\s*localhost$/);
    }
  });
});
