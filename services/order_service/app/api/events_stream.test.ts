import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { once } from 'node:events';
import { eventually } from '#tests/support/eventually.ts';
import { createTestApp } from '#tests/support/order_app.ts';

const EVENT = {
  type: 'ORDER_CREATED',
  version: 1,
  status: 'new',
  timestamp: 0,
  partition: 0,
  outcome: 'applied',
} as const;

/** Ids that are not of an event of the view. */
const WRONG_IDS: readonly (readonly [what: string, id: string])[] = [
  ['the number of an event, which was its id once', '2'],
  ['a number that is too large', '9'.repeat(400)],
  ['a negative number', '-1'],
  ['a number that is not an integer', '1.5'],
  ['garbage', 'x \u{1f642}'],
  ['an id of another view', '0123456789abcdef-2-0-2'],
];

const idsIn = (text: string): string[] => text.match(/^id: .*$/gm)?.map((line) => line.slice(4)) ?? [];

let service: Awaited<ReturnType<typeof createTestApp>>;
let url: string;

before(async () => {
  service = await createTestApp();
  await service.apply({ history: [1, 2, 3].map((n) => ({ ...EVENT, orderId: `ORD-${n}`, offset: n })) });
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
    const first = await listen('/events/stream', { 'last-event-id': '0' });
    await eventually(() => assert.equal(idsIn(first.text()).length, 3));
    first.leave();
    const [one, two, three] = idsIn(first.text()) as [string, string, string];
    const { response, text, leave } = await listen('/events/stream', { 'last-event-id': one });
    assert.equal(response.statusCode, 200);
    assert.match(String(response.headers['content-type']), /^text\/event-stream/);
    await eventually(() => assert.deepEqual(idsIn(text()), [two, three]));
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

  for (const [what, id] of WRONG_IDS) {
    test(`begins with a reset after ${what}`, async () => {
      const { text, leave } = await listen(`/events/stream?lastEventId=${encodeURIComponent(id)}`);
      await eventually(() => assert.match(text(), /\n\n/));
      const [, resetId] = /^event: reset\nid: (.*)\ndata: \{"reason":"the id is not of an event/.exec(text()) ?? [];
      leave();
      // The id of the reset is that of the last event: after it nothing is missed.
      await service.apply({ history: [{ ...EVENT, orderId: 'ORD-4', offset: 4 }] });
      const again = await listen('/events/stream', { 'last-event-id': resetId ?? '' });
      await eventually(() => assert.match(again.text(), /^event: order\nid: .*\ndata: \{"orderId":"ORD-4"/));
      again.leave();
    });
  }

  test('is 503 if too many clients listen already', async () => {
    const others = [await listen('/events/stream'), await listen('/events/stream')];
    const { status, body, headers } = await service.get('/events/stream');
    assert.deepEqual([status, body.code, headers['retry-after']], [503, 'TooManySubscribers', '5']);
    for (const { leave } of others) leave();
  });
});
