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
  test('streams the events after the one that the client names', async () => {
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
    test(`after the id ${JSON.stringify(id)} is 400`, async () => {
      const { status, body } = await service.get(`/events/stream?lastEventId=${encodeURIComponent(id)}`);
      assert.deepEqual([status, body.code], [400, 'ValidationFailed']);
    });
  }

  test('is 503 if too many clients listen already', async () => {
    const others = [await listen('/events/stream'), await listen('/events/stream')];
    const { status, body, headers } = await service.get('/events/stream');
    assert.deepEqual([status, body.code, headers['retry-after']], [503, 'TooManySubscribers', '5']);
    for (const { leave } of others) leave();
  });
});
