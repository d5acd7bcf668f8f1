import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** What a hostile or broken client may send to a port, byte by byte, as no HTTP library would. */
export interface Abuse {
  readonly what: string;
  /** How each connection must end: with one of these statuses, or closed without an answer if null is among them. */
  readonly endsWith: readonly (number | null)[];
  /** Connections that do it at the same time. */
  readonly connections: number;
  /** Resolves when everything is sent or the connection is closed. */
  send(socket: Socket): Promise<void>;
}

const CROWD = 1_000;
const SLOW_BYTE_MS = 2_000;
/** The most bytes of an endless sender. */
const ENDLESS_BYTES = 64 * 1_024 * 1_024;

const head = (...headers: string[]): string =>
  ['POST /create-order HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', ...headers, '', ''].join('\r\n');

const bodyWith = (bytes: number): string => `{"order_id":"1","number_of_items":1,"x":"${'x'.repeat(bytes)}"}`;

const sendAll = (...pieces: readonly (string | Buffer)[]): Abuse['send'] => {
  return async (socket) => {
    for (const piece of pieces) await write(socket, piece);
  };
};

const bomb = gzipSync(bodyWith(50_000_000));
const large = bodyWith(10 * 1_024 * 1_024);

export const ABUSES: readonly Abuse[] = [
  {
    what: 'a body of 10 MB',
    endsWith: [404, 413, null],
    connections: 1,
    send: sendAll(head(`Content-Length: ${large.length}`), large),
  },
  {
    what: 'a chunked body without end',
    endsWith: [404, 413, null],
    connections: 1,
    async send(socket) {
      await write(socket, head('Transfer-Encoding: chunked'));
      const chunk = `10000\r\n${'x'.repeat(0x1_0000)}\r\n`;
      for (let sent = 0; sent < ENDLESS_BYTES && isOpen(socket); sent += chunk.length) await write(socket, chunk);
    },
  },
  {
    what: 'a gzip bomb',
    // 404: the Order Service does not have this route.
    endsWith: [400, 404, 413, 415],
    connections: 1,
    send: sendAll(head('Content-Encoding: gzip', `Content-Length: ${bomb.length}`), bomb),
  },
  {
    what: 'Content-Length with Transfer-Encoding',
    endsWith: [400],
    connections: 1,
    send: sendAll(
      head('Content-Length: 4', 'Transfer-Encoding: chunked'),
      '0\r\n\r\nGET /health/live HTTP/1.1\r\n\r\n',
    ),
  },
  {
    what: 'headers beyond 16 KB',
    endsWith: [431],
    connections: 1,
    send: sendAll(head(`X-Large: ${'x'.repeat(20_000)}`)),
  },
  {
    what: 'ten thousand headers',
    endsWith: [431],
    connections: 1,
    send: sendAll(head(...Array.from({ length: 10_000 }, (_, n) => `X-${n}: 1`))),
  },
  {
    what: 'no HTTP at all',
    endsWith: [400],
    connections: 1,
    send: sendAll(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]), '\r\n\r\n'),
  },
  {
    what: 'connections that say nothing',
    endsWith: [408, null],
    connections: CROWD,
    send: async () => {},
  },
  {
    what: 'senders of a byte each two seconds',
    endsWith: [408, null],
    connections: CROWD,
    async send(socket) {
      for (const byte of head('Content-Length: 1000')) {
        await write(socket, byte);
        if (!isOpen(socket)) return;
        await sleep(SLOW_BYTE_MS);
      }
    },
  },
];

/**
 * Commits the abuse on all its connections.
 * @returns for each its status, null if closed without one, `open` after `withinMs`
 */
export const commit = async (abuse: Abuse, port: number, withinMs: number): Promise<(number | null | 'open')[]> => {
  const sockets = Array.from({ length: abuse.connections }, () => connect({ port, host: 'localhost' }));
  const ends = sockets.map((socket) => {
    const { promise, resolve } = Promise.withResolvers<number | null>();
    let received = '';
    socket.on('data', (data) => {
      received += data.toString('latin1');
      const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1];
      if (status !== undefined) resolve(Number(status));
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(null));
    return promise;
  });
  for (const socket of sockets) abuse.send(socket).catch(() => {});
  const deadline = sleep(withinMs, 'open' as const, { ref: false });
  const results = await Promise.all(ends.map((end) => Promise.race([end, deadline])));
  for (const socket of sockets) socket.destroy();
  return results;
};

const isOpen = (socket: Socket): boolean => !socket.destroyed && socket.writable;

/** Resolves when the socket has accepted the piece, or is closed. */
const write = (socket: Socket, piece: string | Buffer): Promise<void> =>
  new Promise((resolve) => {
    if (!isOpen(socket)) resolve();
    else {
      socket.once('close', resolve);
      socket.write(piece, () => {
        socket.off('close', resolve);
        resolve();
      });
    }
  });
