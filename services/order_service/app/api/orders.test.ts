import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { anOrder } from '#tests/support/events.ts';
import { createTestApp } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

const DATES = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z'];

before(async () => {
  service = await createTestApp();
  const orders = DATES.map((orderDate, n) => anOrder(`ORD-${n + 1}`, { orderDate, customerId: `CUST-${n % 2}` }));
  await service.apply({
    orders,
    views: orders.map(({ orderId }, n) => ({
      orderId,
      version: 3,
      status: n === 0 ? 'shipped' : 'new',
      pendingSince: null,
    })),
  });
});

after(() => service.close());

const ids = (body: { orders: { orderId: string }[] }): string[] => body.orders.map(({ orderId }) => orderId);

describe('GET /orders', () => {
  test('lists the newest order first, each with its summary', async () => {
    const { body } = await service.get('/orders');
    assert.deepEqual(ids(body), ['ORD-3', 'ORD-2', 'ORD-1']);
    assert.deepEqual(body.orders[2], {
      orderId: 'ORD-1',
      customerId: 'CUST-0',
      orderDate: DATES[0],
      numberOfItems: 1,
      totalAmount: 150,
      currency: 'USD',
      status: 'shipped',
      version: 3,
    });
    assert.equal(body.next, null);
  });

  test('goes on after the cursor of the previous page', async () => {
    const first = (await service.get('/orders?limit=2')).body;
    assert.deepEqual(ids(first), ['ORD-3', 'ORD-2']);
    const rest = (await service.get(`/orders?limit=2&after=${first.next}`)).body;
    assert.deepEqual([ids(rest), rest.next], [['ORD-1'], null]);
  });

  for (const [query, expected] of [
    ['status=Shipped', ['ORD-1']],
    ['customerId=CUST-0', ['ORD-3', 'ORD-1']],
    ['customerId=CUST-0&status=new', ['ORD-3']],
    ['from=2026-01-02', ['ORD-3', 'ORD-2']],
    ['from=2026-01-02T00:00:00Z&to=2026-01-03T01:00:00%2B01:00', ['ORD-2']],
    ['customerId=nobody', []],
  ] as const) {
    test(`takes ${query}`, async () => {
      assert.deepEqual(ids((await service.get(`/orders?${query}`)).body), expected);
    });
  }

  for (const [query, field] of [
    ['status=lost', 'status'],
    ['limit=0', 'limit'],
    ['limit=1000000', 'limit'],
    ['after=x', 'after'],
    ['after=1_2_3', 'after'],
    ['after=', 'after'],
    ['from=yesterday', 'from'],
    ['to=2026-02-31T25:00:00Z', 'to'],
    ['from=2026-01-01T00:00:00', 'from'],
    ['customerId=', 'customerId'],
  ] as const) {
    test(`of ${query} is 400 and names ${field}`, async () => {
      const { status, body } = await service.get(`/orders?${query}`);
      assert.deepEqual([status, body.code, body.errors[0].field], [400, 'ValidationFailed', field]);
    });
  }
});

describe('GET /orders/{orderId}', () => {
  test('shows the order as /order-details does, with its version', async () => {
    const { body, headers } = await service.get('/orders/1');
    const { version, ...details } = body;
    assert.equal(version, 3);
    assert.deepEqual(details, (await service.get('/order-details?orderId=ORD-1')).body);
    assert.equal(headers['etag'], '"3-shipped"');
  });

  for (const path of ['/orders/ORD-1', '/order-details?orderId=ORD-1']) {
    test(`is 304 at ${path} if the client has this state already`, async () => {
      for (const tag of ['"3-shipped"', 'W/"3-shipped"', '"1-new", "3-shipped"', '*']) {
        const response = await service.app.inject({ url: path, headers: { 'if-none-match': tag } });
        assert.deepEqual([response.statusCode, response.body, response.headers['etag']], [304, '', '"3-shipped"']);
        assert.ok(!('content-length' in response.headers) && !('content-type' in response.headers));
      }
      assert.equal((await service.get(path, { 'if-none-match': '"2-shipped"' })).status, 200);
    });
  }

  test('is 404 for an unknown order, and 400 for a text that is not an order id', async () => {
    assert.deepEqual((await service.get('/orders/99')).body.code, 'OrderNotFound');
    assert.deepEqual((await service.get('/orders/abc')).body.code, 'ValidationFailed');
  });
});
