import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { letConnectionsIn } from './connections.ts';

const REGULARS = 200;
const NEWCOMERS = 100;
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

const spin = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

test('a flooded server lets a new connection in before the open ones have asked again and again', async (t) => {
  let answered = 0;
  const server = createServer((_request, response) => {
    spin(0.5);
    answered += 1;
    response.end('x');
  });
  letConnectionsIn(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });

  const ask = async (again: boolean): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(REQUEST);
    await once(socket, 'data');
    if (again) socket.on('data', () => socket.write(REQUEST)).write(REQUEST);
  };
  await Promise.all(Array.from({ length: REGULARS }, () => ask(true)));
  answered = 0;
  await Promise.all(Array.from({ length: NEWCOMERS }, () => ask(false)));

  // With one new connection in a turn, the regulars would get a hundred answers each before the last newcomer.
  assert.ok(answered < (REGULARS * NEWCOMERS) / 4, `${answered} answers were given before`);
});
