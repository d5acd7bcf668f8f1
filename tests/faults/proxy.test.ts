import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { createFrameFilter } from './kafka_frames.ts';
import { createProxy, type Proxy } from './proxy.ts';

/** A broker that answers each request with its correlation id and payload, and records what it receives. */
const startBroker = async (t: TestContext) => {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let rest = Buffer.alloc(0);
    socket.on('data', (piece) => {
      received.push(piece);
      rest = Buffer.concat([rest, piece]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const end = 4 + rest.readInt32BE(0);
        socket.write(response(rest.readInt32BE(8), rest.subarray(12, end)));
        rest = rest.subarray(end);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received: () => Buffer.concat(received).toString('latin1') };
};

const PRODUCE = 0;
const METADATA = 3;

const request = (apiKey: number, correlationId: number, payload: string): Buffer => {
  const head = Buffer.alloc(12);
  head.writeInt32BE(8 + payload.length, 0);
  head.writeInt16BE(apiKey, 4);
  head.writeInt32BE(correlationId, 8);
  return Buffer.concat([head, Buffer.from(payload)]);
};

const response = (correlationId: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + payload.length, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, payload]);
};

const start = async (t: TestContext) => {
  const broker = await startBroker(t);
  const proxy = await createProxy({ targetPort: broker.port });
  t.after(() => proxy.close());
  return { broker, proxy, client: await connectTo(t, proxy) };
};

const connectTo = async (t: TestContext, proxy: Proxy) => {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
  t.after(() => socket.destroy());
  let error: string | undefined;
  const pieces: Buffer[] = [];
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (error = code));
  socket.on('data', (piece) => pieces.push(piece));
  await once(socket, 'connect');
  return {
    socket,
    error: () => error,
    text: () => Buffer.concat(pieces).toString('latin1'),
    pieces,
  };
};

type Client = Awaited<ReturnType<typeof connectTo>>;

const answers = (client: Client, text: string) => eventually(() => assert.ok(client.text().endsWith(text)), 5_000);
const isReset = (client: Client) => eventually(() => assert.equal(client.error(), 'ECONNRESET'), 5_000);
const arrived = (broker: { received: () => string }, text: string) =>
  eventually(() => assert.ok(broker.received().endsWith(text)), 5_000);

describe('the proxy', () => {
  test('passes on both directions, and closes the connection that the client closes', async (t) => {
    const { client } = await start(t);
    client.socket.write(request(METADATA, 1, 'hello'));
    await answers(client, 'hello');
    client.socket.end();
    await once(client.socket, 'close');
  });

  test('delay: holds every piece, in both directions, and passes on held pieces at once when it ends', async (t) => {
    const { proxy, client } = await start(t);
    proxy.trouble = { kind: 'delay', ms: 100 };
    const before = performance.now();
    client.socket.write(request(METADATA, 1, 'late'));
    await answers(client, 'late');
    assert.ok(performance.now() - before >= 198);
    proxy.trouble = { kind: 'delay', ms: 60_000 };
    client.socket.write(request(METADATA, 2, 'held'));
    client.socket.write(request(METADATA, 3, 'held too'));
    setImmediate(() => (proxy.trouble = { kind: 'none' }));
    await answers(client, 'held too');
  });

  test('delay: delivers pieces whose client has already closed the connection', async (t) => {
    const { broker, proxy, client } = await start(t);
    proxy.trouble = { kind: 'delay', ms: 100 };
    client.socket.end(request(METADATA, 1, 'last words'));
    await once(client.socket, 'close');
    await arrived(broker, 'last words');
  });

  test('trickle: passes on small pieces, and loses and changes no byte', async (t) => {
    const { proxy, client } = await start(t);
    proxy.trouble = { kind: 'trickle' };
    const text = 'abcdefghij'.repeat(20);
    client.socket.write(request(METADATA, 1, text));
    await answers(client, text);
    assert.ok(client.pieces.length > 1);
    assert.equal(client.text().length, response(1, Buffer.from(text)).length);
  });

  test('reset: resets the open connections, and each new one when it sends something', async (t) => {
    const { proxy, client } = await start(t);
    proxy.trouble = { kind: 'reset' };
    await isReset(client);
    const another = await connectTo(t, proxy);
    another.socket.write('x');
    await isReset(another);
    proxy.trouble = { kind: 'none' };
    const last = await connectTo(t, proxy);
    last.socket.write(request(METADATA, 1, 'well again'));
    await answers(last, 'well again');
  });

  test('half open: drops what the client sends without an error, and resets the connection at the end', async (t) => {
    const { broker, proxy, client } = await start(t);
    client.socket.write(request(METADATA, 1, 'before'));
    await answers(client, 'before');
    proxy.trouble = { kind: 'half_open' };
    const another = await connectTo(t, proxy);
    for (const { socket } of [client, another]) socket.write(request(METADATA, 2, 'lost'));
    await eventually(() => assert.equal(proxy.lostBytes, 2 * request(METADATA, 2, 'lost').length), 5_000);
    assert.deepEqual([client.error(), another.error()], [undefined, undefined]);
    proxy.trouble = { kind: 'none' };
    await Promise.all([isReset(client), isReset(another)]);
    assert.ok(broker.received().endsWith('before'));
  });

  test('black hole to the broker: no request arrives', async (t) => {
    const { broker, proxy, client } = await start(t);
    proxy.trouble = { kind: 'black_hole', direction: 'to_broker' };
    client.socket.write(request(METADATA, 1, 'lost'));
    await eventually(() => assert.ok(proxy.lostBytes > 0), 5_000);
    proxy.trouble = { kind: 'none' };
    await isReset(client);
    assert.equal(broker.received(), '');
  });

  test('black hole to the client: the request arrives, but its answer does not', async (t) => {
    const { broker, proxy, client } = await start(t);
    proxy.trouble = { kind: 'black_hole', direction: 'to_client' };
    client.socket.write(request(PRODUCE, 1, 'written'));
    await arrived(broker, 'written');
    await eventually(() => assert.ok(proxy.lostBytes > 0), 5_000);
    proxy.trouble = { kind: 'none' };
    await isReset(client);
    assert.equal(client.text(), '');
  });

  test('drops the answers to Produce requests and no others', async (t) => {
    const { broker, proxy, client } = await start(t);
    proxy.trouble = { kind: 'drop_produce_responses' };
    client.socket.write(
      Buffer.concat([request(METADATA, 1, 'one'), request(PRODUCE, 2, 'two'), request(METADATA, 3, 'three')]),
    );
    await answers(client, 'three');
    assert.deepEqual(
      client.text(),
      Buffer.concat([response(1, Buffer.from('one')), response(3, Buffer.from('three'))]).toString('latin1'),
    );
    assert.ok(broker.received().includes('two'));
    proxy.trouble = { kind: 'none' };
    client.socket.write(request(PRODUCE, 4, 'four'));
    await answers(client, 'four');
  });
});

test('frames are kept or dropped whole, whatever the pieces of the stream are', () => {
  const frames = [1, 2, 3, 4].map((id) => response(id, Buffer.from('x'.repeat(id * 3 - 3))));
  const stream = Buffer.concat(frames);
  const odd = Buffer.concat([frames[0], frames[2]].flatMap((frame) => frame ?? []));
  for (let size = 1; size <= stream.length; size++) {
    const filter = createFrameFilter(4, (head) => head.readInt32BE(0) % 2 === 1);
    const passed: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) passed.push(...filter(stream.subarray(at, at + size)));
    assert.deepEqual(Buffer.concat(passed), odd, `in pieces of ${size}`);
  }
});
