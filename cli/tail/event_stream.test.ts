import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { streamEvents, type StreamOptions } from './event_stream.ts';
import { EXIT, Failure } from '../failures.ts';

/** A service that answers its connections in turn in these ways, and the `Last-Event-ID` of each. */
const serviceOf = async (t: TestContext, answers: readonly RequestListener[]) => {
  const ids: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const answer = answers[ids.length];
    ids.push(request.headers['last-event-id'] as string | undefined);
    answer?.(request, response);
  }).listen(0, 'localhost');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { ids, url: `http://localhost:${(server.address() as AddressInfo).port}` };
};

const sends =
  (...parts: readonly (string | Buffer)[]): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (const part of parts) response.write(part);
    response.end();
  };

const broken: RequestListener = (request) => request.socket.destroy();

const silent: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
};

const problem =
  (status: number): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json' });
    response.end('{"code":"ValidationFailed","detail":"no"}');
  };

const read = async (n: number, url: string, changes: Partial<StreamOptions> = {}): Promise<(string | undefined)[]> => {
  const ended = new AbortController();
  const events: (string | undefined)[] = [];
  for await (const { id, data } of streamEvents({
    service: { name: 'Order Service', url },
    path: '/events/stream',
    lastEventId: null,
    signal: ended.signal,
    onLost: () => {},
    waitMs: () => 1,
    ...changes,
  })) {
    events.push(id, data);
    if (events.length === 2 * n) break;
  }
  ended.abort();
  return events;
};

describe('streamEvents', () => {
  test('goes on after the last event when it connects again', async (t) => {
    const { ids, url } = await serviceOf(t, [sends('id: 7\ndata: a\n\n:\n\n'), broken, sends('id: 8\ndata: b\n\n')]);
    assert.deepEqual(await read(2, url, { lastEventId: '6' }), ['7', 'a', '8', 'b']);
    assert.deepEqual(ids, ['6', '7', '7']);
  });

  test('joins the pieces of an event, even those of one character', async (t) => {
    const [start, end] = [Buffer.from('data: ü').subarray(0, -1), Buffer.from('data: ü\n\n').subarray(7)];
    const { url } = await serviceOf(t, [sends('id: 1\n', start, end)]);
    assert.deepEqual(await read(1, url), ['1', 'ü']);
  });

  test('gives up a connection that is silent', async (t) => {
    const { url } = await serviceOf(t, [silent, sends('data: a\n\n')]);
    const reasons: string[] = [];
    await read(1, url, { silenceMs: 50, onLost: (reason) => reasons.push(reason) });
    assert.deepEqual(reasons, ['nothing came for 0.05 s']);
  });

  test('tries again after a 503, but ends after a refusal', async (t) => {
    const { url } = await serviceOf(t, [sends('data: a\n\n'), problem(503), problem(400)]);
    await assert.rejects(read(2, url), (error) => error instanceof Failure && error.exitCode === EXIT.failed);
  });

  test('ends with unreachable if another program answers', async (t) => {
    const { url } = await serviceOf(t, [(_request, response) => response.end('<html>')]);
    await assert.rejects(read(1, url), (error) => error instanceof Failure && error.exitCode === EXIT.unreachable);
  });
});
