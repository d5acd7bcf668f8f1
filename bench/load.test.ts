import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { type LoadPlan, startLoadGenerator } from './load.ts';

/** @param listener called for each request, with the order id in its body */
const serve = async (
  t: TestContext,
  listener: (request: IncomingMessage, response: ServerResponse, orderId: string) => void,
): Promise<string> => {
  const server = createServer((request, response) => {
    void text(request).then((body) =>
      listener(request, response, body === '' ? '' : `ORD-${(JSON.parse(body) as { order_id: string }).order_id}`),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const generator = (t: TestContext) => {
  const load = startLoadGenerator();
  t.after(() => load.close());
  return load;
};

const PLAN: Omit<LoadPlan, 'url'> = {
  kind: 'create',
  connections: 3,
  seconds: 0.2,
  from: 1,
  arrivalsPerSecond: null,
  readUrl: null,
};

test('every request of a load has another order, and counts after its right answer', async (t) => {
  const ids: string[] = [];
  const url = await serve(t, (_request, response, orderId) => {
    ids.push(orderId);
    // In two pieces, as a network may deliver it.
    const body = JSON.stringify({ message: 'created', orderId });
    response.writeHead(200, { 'content-length': body.length }).write(body.slice(0, 5));
    setImmediate(() => response.end(body.slice(5)));
  });
  const { requests, answered } = await generator(t).run({ ...PLAN, url });
  assert.ok(requests > 10, `${requests}`);
  assert.deepEqual([ids.length, new Set(ids).size], [requests, requests]);
  assert.ok(answered.p50 <= answered.p99 && answered.p99 <= answered.max);
});

test('a wrong answer ends the load with an error that shows it', async (t) => {
  const url = await serve(t, (_request, response) => response.writeHead(503, { 'content-length': 4 }).end('busy'));
  await assert.rejects(generator(t).run({ ...PLAN, url }), /create at .*wanted a 200 with .*HTTP\/1.1 503/s);
});

test('an answer with another order id is wrong', async (t) => {
  const body = '{"orderId":"ORD-0"}';
  const url = await serve(t, (_request, response) =>
    response.writeHead(200, { 'content-length': body.length }).end(body),
  );
  await assert.rejects(generator(t).run({ ...PLAN, url }), /wanted a 200 with "orderId":"ORD-\d+"/);
});

test('a connection that is lost ends the load', async (t) => {
  const url = await serve(t, (request) => request.socket.destroy());
  await assert.rejects(generator(t).run({ ...PLAN, url }), /closed|ECONNRESET/);
});

test('an open load arrives at its rate, and its latency includes the wait for a connection', async (t) => {
  let busy = 0;
  const url = await serve(t, (_request, response, orderId) => {
    busy += 1;
    assert.equal(busy, 1, 'one connection, one request at a time');
    setTimeout(() => {
      busy -= 1;
      const body = JSON.stringify({ orderId });
      response.writeHead(200, { 'content-length': body.length }).end(body);
    }, 20);
  });
  const result = await generator(t).run({ ...PLAN, url, connections: 1, seconds: 0.5, arrivalsPerSecond: 100 });
  assert.equal(result.requests, 50);
  // All arrive within 500 ms, but answering one after the other takes 1,000 ms.
  assert.ok(result.answered.max > 400, `${result.answered.max}`);
});

test('an open load with more connections than it needs ends too', async (t) => {
  const url = await serve(t, (_request, response, orderId) => {
    const body = JSON.stringify({ orderId });
    response.writeHead(200, { 'content-length': body.length }).end(body);
  });
  const load = generator(t);
  for (const connections of [2, 3, 10]) {
    const { requests } = await load.run({ ...PLAN, url, connections, arrivalsPerSecond: 500 });
    assert.equal(requests, 100);
  }
});

test('with a read address, the load waits until each created order can be read there', async (t) => {
  const created = new Set<string>();
  const writeUrl = await serve(t, (_request, response, orderId) => {
    created.add(orderId);
    const body = JSON.stringify({ orderId });
    response.writeHead(200, { 'content-length': body.length }).end(body);
  });
  const readUrl = await serve(t, (request, response) => {
    const id = new URL(request.url ?? '', 'http://localhost').searchParams.get('orderId') ?? '';
    assert.equal(request.headers.prefer, 'wait=5');
    const body = JSON.stringify(created.has(id) ? { order: { orderId: id } } : {});
    response.writeHead(200, { 'content-length': body.length }).end(body);
  });
  const { requests, readable } = await generator(t).run({ ...PLAN, url: writeUrl, readUrl });
  assert.equal(requests, created.size);
  assert.ok(readable.p50 > 0);
});
