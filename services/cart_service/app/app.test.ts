import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { type ErrorCode, ERRORS } from '#service_common/errors.ts';
import { DONE, failed } from '#cart_service/requests.ts';
import { OPEN, problemOf, useTestCart, VALID } from '#tests/support/cart_app.ts';

const cart = useTestCart();

describe('what is no route', () => {
  for (const [method, url] of [
    ['GET', '/'],
    ['POST', '/create-order/'],
    ['POST', '/Create-Order'],
    ['POST', '/create-order%20'],
  ] as const) {
    test(`${method} ${url} is 404`, async () => {
      problemOf(await cart.app.inject({ method, url }), 'RouteNotFound');
    });
  }

  test('is 404 for HEAD, without a body', async () => {
    const { statusCode, body } = await cart.app.inject({ method: 'HEAD', url: '/nothing' });
    assert.deepEqual([statusCode, body], [404, '']);
  });

  for (const [method, url, allow] of [
    ['GET', '/create-order', 'POST'],
    ['PUT', '/create-order?a=b', 'POST'],
    ['POST', '/update-order', 'PUT'],
    ['DELETE', '/create-order', 'POST'],
    ['OPTIONS', '/create-order', 'POST'],
    ['PROPFIND', '/create-order', 'POST'],
    ['QUERY', '/create-order', 'POST'],
    ['HEAD', '/create-order', 'POST'],
    ['PUT', '/health/live', 'GET, HEAD'],
    ['POST', '/documentation/static/index.html', 'GET, HEAD'],
  ] as const) {
    test(`${method} ${url} is 405 and lists the methods of the path: ${allow}`, async () => {
      const response = await cart.app.inject({ method, url });
      assert.deepEqual([response.statusCode, response.headers['allow']], [405, allow]);
      if (method !== 'HEAD') problemOf(response, 'MethodNotAllowed');
    });
  }

  test('is 404 whatever the body is', async () => {
    const headers = { 'content-type': 'application/json' };
    for (const [payload, type] of [
      ['{', headers],
      ['x', {}],
      ['x'.repeat(70_000), headers],
    ] as const) {
      problemOf(await cart.app.inject({ method: 'POST', url: '/nothing', payload, headers: type }), 'RouteNotFound');
    }
  });

  test('as a URL that cannot be decoded is 400', async () => {
    problemOf(await cart.app.inject('/%zz'), 'ValidationFailed');
  });
});

const FAILED = {
  starting: ['broker', 'topic'],
  impaired: ['broker'],
  closing: ['broker', 'running'],
  open: [],
} as const;

const failedChecks = (checks: readonly { name: string; ok: boolean }[]): string[] =>
  checks.filter(({ ok }) => !ok).map(({ name }) => name);

describe('readiness', () => {
  for (const state of ['starting', 'impaired', 'closing', 'open'] as const) {
    test(`while the publisher is ${state} is ${state === 'open' ? 'given' : 'refused'}`, async () => {
      cart.status = { ...OPEN, state, reason: state === 'open' ? null : 'no broker' };
      const response = await cart.app.inject('/health/ready');
      const ready = state === 'open';
      assert.equal(response.statusCode, ready ? 200 : 503);
      const { checks, ...rest } = response.json();
      assert.deepEqual(rest, { status: ready ? 'ready' : 'not_ready', ready, ...cart.status, warnings: [] });
      assert.deepEqual(failedChecks(checks), FAILED[state]);
    });
  }

  test('is given if the store fails, and its check has the reason and since when', async () => {
    cart.storeFailure = 'disk is full';
    const response = await cart.app.inject('/health/ready');
    assert.equal(response.statusCode, 200);
    const { since, ...store } = response.json().checks.find(({ ok }: { ok: boolean }) => !ok);
    assert.deepEqual(store, { name: 'store', ok: false, reason: 'disk is full' });
    assert.ok(Math.abs(Date.now() - Date.parse(since)) < 60_000);
  });
});

/** @returns all that the server sends until it closes the connection */
const exchange = (sent: string): Promise<string> => {
  const { port } = cart.app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write(sent);
  return text(socket);
};

describe('over a real connection', () => {
  const LARGE = 'x'.repeat(17_000);
  const UNREADABLE: readonly (readonly [string, string, ErrorCode])[] = [
    ['garbage', 'garbage\r\n\r\n', 'ValidationFailed'],
    ['the start of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'ValidationFailed'],
    ['an unknown method', 'ORDER / HTTP/1.1\r\nHost: a\r\n\r\n', 'ValidationFailed'],
    ['headers of more than 16 KiB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${LARGE}\r\n\r\n`, 'HeadersTooLarge'],
    [
      'two lengths of one body',
      'POST /create-order HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
      'ValidationFailed',
    ],
  ];
  for (const [what, sent, code] of UNREADABLE) {
    test(`${what} is answered with a problem and the end of the connection`, async () => {
      const [head = '', body = ''] = (await exchange(sent)).split('\r\n\r\n');
      assert.ok(head.startsWith(`HTTP/1.1 ${ERRORS[code].status} `), head);
      assert.match(head, /\r\ncontent-type: application\/problem\+json(\r\n|$)/);
      assert.match(head, /\r\nconnection: close(\r\n|$)/);
      assert.equal(JSON.parse(body).code, code);
    });
  }

  test('a body that grows beyond the limit is refused before its end arrives', async () => {
    const head = 'POST /create-order HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
    const reply = await exchange(`${head}Transfer-Encoding: chunked\r\n\r\n10001\r\n${'x'.repeat(65_537)}`);
    assert.ok(reply.startsWith('HTTP/1.1 413 '), reply);
    assert.match(reply, /BodyTooLarge/);
  });

  test('a client over the limit is refused at once, and is read again after the accepted ones', async (t) => {
    const { port } = cart.app.server.address() as AddressInfo;
    const body = JSON.stringify(VALID.create);
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const create = (agent: Agent): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/create-order', headers });
        sent.once('response', (response) => response.resume().once('end', () => resolve(response.statusCode)));
        sent.once('error', reject).end(body);
      });
    const [refused, other] = [0, 1].map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
    t.after(() => [refused, other].forEach((agent) => agent?.destroy()));
    assert(refused && other);

    cart.submit = () => Promise.resolve(failed('ProducerQueueFull', 'not_created', 'too many'));
    assert.equal(await create(refused), 503);
    cart.submit = () => Promise.resolve(DONE);
    const answered: string[] = [];
    const again = create(refused).then((status) => answered.push(`refused ${status}`));
    for (let n = 0; n < 10; n++) await create(other).then((status) => answered.push(`other ${status}`));
    await again;
    assert.deepEqual(answered, [...Array.from({ length: 10 }, () => 'other 200'), 'refused 200']);
  });
});
