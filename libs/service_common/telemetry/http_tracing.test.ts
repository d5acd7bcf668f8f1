import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { eventually } from '#tests/support/eventually.ts';
import { createHttpApp } from '#service_common/http/create_http_app.ts';
import type { Attributes, StartedSpan, Tracing } from './tracing.ts';

const CLIENT = `00-${'c'.repeat(32)}-${'c'.repeat(16)}-01`;
const OWN = `00-${'c'.repeat(32)}-${'a'.repeat(16)}-01`;

interface Ended extends StartedSpan {
  readonly ended: Attributes;
  readonly error: string | undefined;
}

/** An app whose requests are traced, the spans that have ended, and the lines of its log. */
const tracedApp = async (t: TestContext) => {
  const spans: Ended[] = [];
  const lines: Record<string, unknown>[] = [];
  const begin: Tracing['begin'] = (span) => ({
    traceparent: OWN,
    isRecorded: true,
    end: (ended, error) => void spans.push({ ...span, ended, error }),
  });
  const app = await createHttpApp({
    name: 'A Service',
    description: '',
    port: 0,
    tags: {},
    logger: pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }),
    metrics: new Registry(),
    tracing: { begin } as Tracing,
    settings: [],
    readiness: () => ({ ready: true, reason: null, checks: [] }),
  });
  t.after(() => app.close());
  app.get('/orders/:orderId', () => ({}));
  app.get('/broken', () => Promise.reject(new Error('a fault')));
  app.get('/slow', () => new Promise(() => {}));
  return { app, spans, lines };
};

test('a request has a span named by its route, in the trace of its client', async (t) => {
  const { app, spans } = await tracedApp(t);
  await app.inject({ url: '/orders/7?secret=1', headers: { traceparent: CLIENT } });
  await app.inject('/no-such-route');
  await app.inject('/health/ready');
  assert.deepEqual(
    spans.map(({ name, parent, ended, error }) => [
      name,
      parent,
      ended['url.path'],
      ended['http.response.status_code'],
      error,
    ]),
    [
      ['GET /orders/:orderId', CLIENT, '/orders/7', 200, undefined],
      ['GET', undefined, '/no-such-route', 404, undefined],
    ],
  );
});

test('a request that fails because of a fault has a span with an error, and its trace is in the log', async (t) => {
  const { app, spans, lines } = await tracedApp(t);
  await app.inject('/broken');
  assert.equal(spans[0]?.error, '500');
  assert.deepEqual(
    lines.map(({ msg, traceId }) => [msg, traceId]),
    [['request failed', 'c'.repeat(32)]],
  );
});

test('a request whose client goes away has a span that says so', async (t) => {
  const { app, spans } = await tracedApp(t);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(app.server, 'request');
  socket.destroy();
  await eventually(() => assert.equal(spans[0]?.error, 'client_aborted'));
});
