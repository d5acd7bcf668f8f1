import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { createRandom } from '../../cli/demo/seeded_random.ts';
import { eventually } from '#tests/support/eventually.ts';
import { freePorts } from '#tests/kafka/free_ports.ts';
import { createLoad, type Load } from './load.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly key: string | undefined;
}

/** One server in place of both services. It answers as `answer` does. */
const start = async (t: TestContext, answer: (seen: Seen, response: ServerResponse) => void, rate = 500) => {
  const seen: Seen[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
    request.once('end', () => {
      const key = request.headers['idempotency-key'] as string | undefined;
      const what = { method: request.method ?? '', url: request.url ?? '', body, key };
      seen.push(what);
      answer(what, response);
    });
  }).listen(0);
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return { seen, server, load: startLoad(t, url, rate) };
};

const startLoad = (t: TestContext, url: string, rate: number): Load => {
  const load = createLoad({ cartUrl: url, orderUrl: url, rate, random: createRandom('load') });
  t.after(() => load.close());
  return load;
};

const ok = (_: Seen, response: ServerResponse): void => void response.end('{}');
const unavailable = (_: Seen, response: ServerResponse): void => {
  response.writeHead(503).end('{"code":"KafkaTimeout","outcome":"unknown"}');
};

describe('the load', () => {
  test('sends creates, updates and reads, and records the answers', async (t) => {
    const { seen, load } = await start(t, ok);
    load.resume();
    await load.succeed(300, 20_000);
    await load.pause();
    assert.equal(load.exchanges.length, seen.length);
    const kinds = Map.groupBy(load.exchanges, ({ request }) => request.kind);
    for (const kind of ['create', 'update', 'read'] as const) assert.ok((kinds.get(kind)?.length ?? 0) > 30, kind);
    const created = kinds.get('create')?.map(({ request }) => request.orderId) ?? [];
    assert.equal(new Set(created).size, created.length, 'each order is created once');
    for (const { answer, askedAt, endedAt } of load.exchanges) {
      assert.deepEqual(answer, { status: 200, code: null, outcome: null });
      assert.ok(endedAt >= askedAt);
    }
  });

  test('sends no status of an order twice, so that each event in the log belongs to one request', async (t) => {
    const { load } = await start(t, ok);
    load.resume();
    await load.succeed(500, 20_000);
    await load.pause();
    const asked = load.exchanges.flatMap(({ request }) =>
      request.kind === 'update' ? `${request.orderId} ${request.status}` : [],
    );
    assert.equal(new Set(asked).size, asked.length);
  });

  test('goes on sending at its rate while no answer comes', async (t) => {
    const held: ServerResponse[] = [];
    const { seen, load } = await start(t, (_, response) => void held.push(response));
    load.resume();
    await eventually(() => assert.ok(seen.length > 200));
    assert.equal(load.exchanges.length, 0);
    for (const response of held) response.end('{}');
  });

  test('repeats a request that got a 503, with the same bytes, until it gets another answer', async (t) => {
    let answer = unavailable;
    const { seen, load } = await start(t, (what, response) => answer(what, response));
    load.resume();
    const repeated = await eventually(() => {
      const bodies = [...Map.groupBy(seen, ({ body }) => body).values()].filter(
        (same) => same[0]?.body !== '' && same.length > 1,
      );
      assert.ok(
        bodies.some(([first]) => first?.key === undefined) && bodies.some(([first]) => first?.key !== undefined),
      );
      return bodies;
    });
    for (const [first, ...others] of repeated) for (const other of others) assert.deepEqual(other, first);
    const { exchanges } = load;
    assert.deepEqual(exchanges[0]?.answer, { status: 503, code: 'KafkaTimeout', outcome: 'unknown' });
    answer = ok;
    load.rate = 0;
    // At rate 0 there are no new requests: an answer now belongs to a repeated one.
    const { request } = await load.first200(performance.now(), 20_000);
    const earlier = exchanges.filter((exchange) => exchange.request === request);
    assert.ok(earlier.length > 1);
  });

  test('records a lost answer as null, and a refused connection as refused', async (t) => {
    const { load } = await start(t, (_, response) => void response.destroy());
    load.resume();
    await eventually(() => assert.ok(load.exchanges.length > 10));
    assert.deepEqual([load.exchanges[0]?.answer, load.exchanges[0]?.refusedConnection], [null, false]);

    const [port = 0] = await freePorts(1);
    const refused = startLoad(t, `http://localhost:${port}`, 500);
    refused.resume();
    await eventually(() => assert.ok(refused.exchanges.length > 10));
    assert.deepEqual([refused.exchanges[0]?.answer, refused.exchanges[0]?.refusedConnection], [null, true]);
  });

  test('sends nothing while it is paused', async (t) => {
    const { seen, load } = await start(t, ok);
    load.resume();
    await load.succeed(10, 20_000);
    await load.pause();
    const before = seen.length;
    await assert.rejects(load.succeed(1, 200), /fewer than 1 writes/);
    assert.equal(seen.length, before);
    load.resume();
    await load.succeed(1, 20_000);
  });

  test('uses only new orders after leaveOrders', async (t) => {
    const { load } = await start(t, ok);
    load.resume();
    await load.succeed(100, 20_000);
    await load.pause();
    const [last, asked] = [load.nextOrderNumber, load.exchanges.length];
    load.leaveOrders();
    load.resume();
    await load.succeed(100, 20_000);
    await load.pause();
    const numbers = load.exchanges.slice(asked).map(({ request }) => Number(request.orderId.slice('ORD-'.length)));
    assert.ok(numbers.every((number) => number >= last));
  });
});
