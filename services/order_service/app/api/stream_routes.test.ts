import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { once } from 'node:events';
import { eventually } from '#tests/support/eventually.ts';
import { createTestApp } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;
let url: string;

before(async () => {
  service = await createTestApp();
  const event = {
    type: 'ORDER_CREATED',
    version: 1,
    status: 'new',
    timestamp: 0,
    partition: 0,
    outcome: 'applied',
  } as const;
  await service.apply({ history: [1, 2, 3].map((n) => ({ ...event, orderId: `ORD-${n}`, offset: n })) });
  await service.app.listen({ port: 0, host: '127.0.0.1' });
  url = `http://127.0.0.1:${(service.app.server.address() as AddressInfo).port}`;
});

after(() => service.close());

const listen = async (path: string, headers: Record<string, string> = {}) => {
  const request = get(`${url}${path}`, { headers, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  response.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { response, text: () => text, leave: () => request.destroy() };
};

describe('GET /events/stream', () => {
  test('is a stream of events that goes on after the one that the client names', async () => {
    const { response, text, leave } = await listen('/events/stream', { 'last-event-id': '1' });
    assert.equal(response.statusCode, 200);
    assert.match(String(response.headers['content-type']), /^text\/event-stream/);
    await eventually(() => assert.match(text(), /id: 3\n/));
    assert.deepEqual(text().match(/^id: \d+$/gm), ['id: 2', 'id: 3']);
    const [data] = text().match(/^data: .*$/m) ?? [];
    assert.deepEqual(JSON.parse(data?.slice(6) ?? ''), {
      orderId: 'ORD-2',
      sequence: 2,
      type: 'ORDER_CREATED',
      version: 1,
      status: 'new',
      timestamp: '1970-01-01T00:00:00.000Z',
      partition: 0,
      offset: 2,
      outcome: 'applied',
    });
    leave();
  });

  for (const id of ['x', '-1', '1.5', '1 2', '9'.repeat(16)]) {
    test(`after ${JSON.stringify(id)} is 400`, async () => {
      const { status, body } = await service.get(`/events/stream?lastEventId=${encodeURIComponent(id)}`);
      assert.deepEqual([status, body.code], [400, 'ValidationFailed']);
    });
  }

  test('is 503 where too many listen already', async () => {
    const others = [await listen('/events/stream'), await listen('/events/stream')];
    const { status, body, headers } = await service.get('/events/stream');
    assert.deepEqual([status, body.code, headers['retry-after']], [503, 'TooManySubscribers', '5']);
    for (const { leave } of others) leave();
  });
});

const redrive = (payload: object) => service.app.inject({ method: 'POST', url: '/dead-letters/redrive', payload });

test('GET /flow shows how far the view is', async () => {
  const { status, body } = await service.get('/flow');
  assert.equal(status, 200);
  assert.deepEqual([body.state, body.brokerReason, body.partitions.length], ['consuming', 'no broker here', 1]);
});

test('GET /settings shows what is in force', async () => {
  const { body } = await service.get('/settings');
  assert.equal(body.service, 'Order Service');
  assert.equal(body.versions.node, process.versions.node);
  assert.deepEqual(
    body.settings.find(({ name }: { name: string }) => name === 'ORDERS_TOPIC'),
    { name: 'ORDERS_TOPIC', value: 'orders.events', isDefault: true },
  );
});

describe('POST /dead-letters/redrive', () => {
  for (const payload of [
    {},
    { letters: [] },
    { letters: [{ id: 0 }] },
    { letters: [{ id: 1, value: '' }] },
    { letters: [{ id: 1 }], filter: {} },
    { filter: { since: 'ever' } },
    { filter: {}, limit: 1_000_000 },
  ]) {
    test(`of ${JSON.stringify(payload)} is 400`, async () => {
      const response = await redrive(payload);
      assert.deepEqual([response.statusCode, response.json().code], [400, 'ValidationFailed']);
    });
  }

  test('of a letter that is gone says so', async () => {
    const response = await redrive({ letters: [{ id: 99 }] });
    assert.equal(response.statusCode, 200);
    assert.deepEqual(response.json().results[0].outcome, 'skipped');
  });
});
