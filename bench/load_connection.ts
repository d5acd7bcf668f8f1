import { once } from 'node:events';
import { connect } from 'node:net';
import type { LoadRequest } from './load_requests.ts';

/** An HTTP/1.1 connection that is kept alive. */
export interface Connection {
  /**
   * Sends one request at a time.
   * @throws Error if the answer is not a 200 with `expected`, or the connection is lost
   */
  exchange(request: LoadRequest): Promise<void>;
  close(): void;
}

/**
 * Sends prepared requests, and reads only enough of an answer to check it. The load shares the machine with the
 * measured service, and a full HTTP client would need as much CPU time as the service.
 */
export const openConnection = async (url: string): Promise<Connection> => {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let asked: { expected: string; resolve: () => void; reject: (error: Error) => void } | null = null;
  let received = '';
  const fail = (reason: string): void => {
    asked?.reject(new Error(reason));
    asked = null;
  };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    if (asked === null || !isWhole(received)) return;
    const { expected, resolve } = asked;
    if (!received.startsWith('HTTP/1.1 200') || !received.includes(expected)) {
      fail(`wanted a 200 with ${expected}, got ${received.slice(0, 500)}`);
      return;
    }
    asked = null;
    received = '';
    resolve();
  });
  socket.on('error', (error) => fail(String(error)));
  socket.on('close', () => fail('the connection was closed'));
  await once(socket, 'connect');
  return {
    exchange: ({ text, expected }) =>
      new Promise((resolve, reject) => {
        asked = { expected, resolve, reject };
        socket.write(text, 'latin1');
      }),
    close: () => socket.destroy(),
  };
};

/** True if the whole answer has come; never true for an answer without a length. */
const isWhole = (answer: string): boolean => {
  const headersEnd = answer.indexOf('\r\n\r\n');
  if (headersEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1];
  return length !== undefined && answer.length >= headersEnd + 4 + Number(length);
};
