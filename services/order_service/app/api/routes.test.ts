import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { StoreError } from '#service_common/store_error.ts';
import { eventually } from '#tests/support/eventually.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { createOrderWaiters } from '#order_service/live/order_waiters.ts';
import { createViewWatch } from '#order_service/live/view_watch.ts';
import { anOrder } from '#tests/support/events.ts';
import { createTestApp, newApp, TOPIC } from '#tests/support/order_app.ts';

const fails = (): never => {
  throw new StoreError('STORE_UNAVAILABLE', 'disk I/O error');
};

let service: Awaited<ReturnType<typeof createTestApp>>;

before(async () => {
  service = await createTestApp();
  await service.apply({
    orders: [
      anOrder('ORD-123', { items: [{ itemId: 'ITEM-001', quantity: 2, price: 7_525 }], totalAmount: 15_050 }),
      anOrder('ORD-7', { currency: 'JPY', items: [{ itemId: 'A', quantity: 1, price: 125 }], totalAmount: 125 }),
      anOrder('ORD-8', { currency: 'KWD', items: [{ itemId: 'A', quantity: 1, price: 1_024 }], totalAmount: 1_024 }),
    ],
    views: [
      { orderId: 'ORD-123', version: 2, status: 'shipped', pendingSince: null },
      { orderId: 'ORD-7', version: 1, status: 'new', pendingSince: null },
      { orderId: 'ORD-8', version: 1, status: 'new', pendingSince: null },
      { orderId: 'ORD-9', version: 5, status: 'confirmed', pendingSince: 1_000 },
    ],
  });
});

after(() => service.close());

describe('GET /order-details', () => {
  test('shows an order with its present status, decimal amounts and shipping cost', async () => {
    const { status, headers, body } = await service.get('/order-details?orderId=ORD-123');
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^application\/json/);
    assert.deepEqual(body, {
      order: {
        orderId: 'ORD-123',
        customerId: 'CUST-00042',
        orderDate: '2026-01-18T12:00:00.000Z',
        items: [{ itemId: 'ITEM-001', quantity: 2, price: 75.25 }],
        totalAmount: 150.5,
        currency: 'USD',
        status: 'shipped',
      },
      shippingCost: 3.01,
    });
  });

  test('takes the id without its prefix too', async () => {
    assert.equal((await service.get('/order-details?orderId=123')).body.order.orderId, 'ORD-123');
  });

  test('rounds the shipping cost half up to the minor unit of the currency', async () => {
    assert.deepEqual((await service.get('/order-details?orderId=7')).body.shippingCost, 3);
    assert.deepEqual((await service.get('/order-details?orderId=8')).body.shippingCost, 0.02);
  });

  const UNKNOWN = ['0123', 'ORD-0123', '1'.repeat(64), '9'];
  for (const id of UNKNOWN) {
    test(`of ${id}, which is not an order, is 404 OrderNotFound`, async () => {
      const { status, headers, body } = await service.get(`/order-details?orderId=${id}`);
      assert.deepEqual([status, body.code, body.status], [404, 'OrderNotFound', 404]);
      assert.equal(headers['content-type'], 'application/problem+json');
    });
  }

  const INVALID = ['', '?orderId=', '?orderId=abc', '?orderId=-1', '?orderId=ord-1', '?orderId=1%0A', '?orderId=%201'];
  for (const query of [
    ...INVALID,
    `?orderId=${'1'.repeat(65)}`,
    '?orderId=1&orderId=2',
    '?order_id=1',
    '?orderId[]=1',
  ]) {
    test(`with the query "${query}" is 400 and names orderId`, async () => {
      const { status, headers, body } = await service.get(`/order-details${query}`);
      assert.deepEqual([status, body.code, body.errors[0].field], [400, 'ValidationFailed', 'orderId']);
      assert.equal(headers['content-type'], 'application/problem+json');
    });
  }
});

describe('GET /order-details with Prefer: wait', () => {
  test('answers as soon as the order arrives', async () => {
    const answer = service.get('/order-details?orderId=200', { prefer: 'respond-async, wait=30' });
    await eventually(() => assert.equal(service.waiters.size, 1));
    await service.arrive('ORD-200');
    const { status, headers, body } = await answer;
    assert.deepEqual([status, headers['preference-applied'], body.order.orderId], [200, 'wait=30', 'ORD-200']);
    assert.equal(service.waiters.size, 0);
  });

  test('answers at once if the order is there, and applies at most 30 s', async () => {
    const { status, headers } = await service.get('/order-details?orderId=123', { prefer: 'wait=3600' });
    assert.deepEqual([status, headers['preference-applied']], [200, 'wait=30']);
    assert.equal(service.waiters.size, 0);
  });

  test('is 404 once the time is over', async () => {
    const { status, headers, body } = await service.get('/order-details?orderId=404', { prefer: 'wait=0' });
    assert.deepEqual([status, headers['preference-applied'], body.code], [404, 'wait=0', 'OrderNotFound']);
  });

  test('does not wait, and does not say so, if too many requests wait already', async () => {
    const inside = ['ORD-1', 'ORD-2'].map((id) => service.waiters.enter(id, 30_000));
    const { status, headers } = await service.get('/order-details?orderId=404', { prefer: 'wait=30' });
    assert.deepEqual([status, headers['preference-applied']], [404, undefined]);
    inside.forEach((waiter) => waiter?.leave());
  });

  test('misses no order that arrives while the view is read', async () => {
    const slowDb: ConsumerDb = {
      ...service.db,
      order: async (orderId) => {
        const found = await service.db.order(orderId);
        if (found === null) await service.arrive(orderId);
        return found;
      },
    };
    const slowApp = await newApp({ db: slowDb, waiters: service.waiters });
    const response = await slowApp.inject({ url: '/order-details?orderId=201', headers: { prefer: 'wait=30' } });
    assert.equal(response.statusCode, 200);
  });

  test('stops waiting when the client goes away, and when the service stops', async () => {
    const own = createOrderWaiters({ limit: 10, db: service.db, watch: createViewWatch({ db: service.db }) });
    const listening = await newApp({ db: service.db, waiters: own });
    await listening.listen({ port: 0 });
    const url = `http://localhost:${(listening.server.address() as AddressInfo).port}/order-details?orderId=404`;
    const client = new AbortController();
    const wait = (init: RequestInit = {}) => fetch(url, { headers: { prefer: 'wait=30' }, ...init });

    const abandoned = wait({ signal: client.signal });
    await eventually(() => assert.equal(own.size, 1));
    client.abort();
    await assert.rejects(abandoned);
    await eventually(() => assert.equal(own.size, 0));

    const waiting = wait();
    await eventually(() => assert.equal(own.size, 1));
    await listening.close();
    assert.equal((await waiting).status, 404);
  });
});

describe('GET /getAllOrderIdsFromTopic', () => {
  test('of the consumed topic lists the ids of its orders in the order first received', async () => {
    const { status, headers, body } = await service.get(`/getAllOrderIdsFromTopic?topicName=${TOPIC}`);
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^application\/json/);
    assert.equal(body.topicName, TOPIC);
    assert.deepEqual(body.orderIds.slice(0, 3), ['ORD-123', 'ORD-7', 'ORD-8']);
    assert.ok(!body.orderIds.includes('ORD-9'));
  });

  for (const name of ['another', 'ORDERS.EVENTS', 'orders.events ', '"]}']) {
    test(`of the topic ${JSON.stringify(name)}, which is not consumed, lists nothing`, async () => {
      const { status, body } = await service.get(`/getAllOrderIdsFromTopic?topicName=${encodeURIComponent(name)}`);
      assert.equal(status, 200);
      assert.deepEqual(body, { topicName: name, orderIds: [] });
    });
  }

  for (const query of ['', '?topicName=', '?topicName=a&topicName=b']) {
    test(`with the query "${query}" is 400 and names topicName`, async () => {
      const { status, body } = await service.get(`/getAllOrderIdsFromTopic${query}`);
      assert.deepEqual([status, body.code, body.errors[0].field], [400, 'ValidationFailed', 'topicName']);
    });
  }

  test('is 500, not half an answer, if the store cannot be read', async () => {
    const broken = await newApp({
      db: { ...service.db, order: fails, orderIds: fails },
      waiters: createOrderWaiters({ limit: 1, db: service.db, watch: createViewWatch({ db: service.db }) }),
    });
    for (const url of [`/getAllOrderIdsFromTopic?topicName=${TOPIC}`, '/order-details?orderId=1']) {
      const response = await broken.inject({ url });
      assert.equal(response.statusCode, 500);
      assert.equal(response.headers['content-type'], 'application/problem+json');
    }
    await broken.close();
  });
});
