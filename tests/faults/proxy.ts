import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createFrameFilter, PRODUCE } from './kafka_frames.ts';
import { createPipe, type Pipe } from './pipe.ts';

/**
 * What a proxy does with the bytes of every connection, open ones included. At the end, held bytes are passed on at
 * once.
 */
export type Trouble =
  | { readonly kind: 'none' }
  /**
   * Every piece is held for `ms`, in both directions. It arrives even if its sender has closed the connection
   * meanwhile.
   */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Bytes are passed on one at a time. */
  | { readonly kind: 'trickle' }
  /** Every connection is reset (RST): open ones at once, new ones when they send something. */
  | { readonly kind: 'reset' }
  /** The broker's side is closed, but the client does not learn it: its bytes are lost, and no bytes come. */
  | { readonly kind: 'half_open' }
  /** The bytes of one direction are lost. */
  | { readonly kind: 'black_hole'; readonly direction: 'to_broker' | 'to_client' }
  /** Requests reach the broker, but its answers to Produce requests are lost. */
  | { readonly kind: 'drop_produce_responses' };

/** A TCP proxy between clients and a broker. The broker advertises the proxy's address. */
export interface Proxy {
  /** The port for clients. */
  readonly port: number;
  trouble: Trouble;
  /** Bytes lost so far, in both directions. */
  readonly lostBytes: number;
  close(): Promise<void>;
}

/** The connection of one client, and the proxy's own connection to the broker. */
interface Link {
  readonly client: Socket;
  readonly broker: Socket;
  readonly pipes: readonly Pipe[];
  /** Bytes of it are lost. Its stream has a hole, so the connection is reset when the trouble ends. */
  torn: boolean;
}

/** Listens on a free port of this machine, and connects to `targetPort` for each client. */
export const createProxy = async ({ targetPort }: { targetPort: number }): Promise<Proxy> => {
  let trouble: Trouble = { kind: 'none' };
  const links = new Set<Link>();
  let lostBytes = 0;

  const reset = (link: Link): void => {
    links.delete(link);
    for (const pipe of link.pipes) pipe.drop();
    link.client.resetAndDestroy();
    link.broker.resetAndDestroy();
  };

  const vanishes = (direction: 'to_broker' | 'to_client'): boolean =>
    trouble.kind === 'half_open' || (trouble.kind === 'black_hole' && trouble.direction === direction);

  const carry = (link: Link, direction: 'to_broker' | 'to_client', pipe: Pipe, pieces: readonly Buffer[]): void => {
    if (trouble.kind === 'reset' || (direction === 'to_broker' && link.broker.destroyed && trouble.kind === 'none')) {
      reset(link);
    } else if (vanishes(direction)) {
      link.torn = true;
      for (const piece of pieces) lostBytes += piece.length;
    } else {
      const holdMs = trouble.kind === 'delay' ? trouble.ms : 0;
      for (const piece of pieces) pipe.push(piece, holdMs, trouble.kind === 'trickle');
    }
  };

  const server = createServer((client) => {
    const broker = connect({ port: targetPort, host: '127.0.0.1' });
    const toBroker = createPipe(client, broker);
    const toClient = createPipe(broker, client);
    const link: Link = { client, broker, pipes: [toBroker, toClient], torn: false };
    links.add(link);
    for (const socket of [client, broker]) socket.setNoDelay(true);

    const produceRequests = new Set<number>();
    const requests = createFrameFilter(8, (head) => {
      if (head.readInt16BE(0) === PRODUCE) produceRequests.add(head.readInt32BE(4));
      return true;
    });
    const responses = createFrameFilter(4, (head) => {
      const isOfProduce = produceRequests.delete(head.readInt32BE(0));
      const isLost = isOfProduce && trouble.kind === 'drop_produce_responses';
      if (isLost) lostBytes += head.length;
      return !isLost;
    });
    client.on('data', (piece) => carry(link, 'to_broker', toBroker, requests(piece)));
    broker.on('data', (piece) => carry(link, 'to_client', toClient, responses(piece)));

    client.on('error', () => {});
    client.on('close', () => toBroker.end());
    broker.on('error', () => {
      if (!vanishes('to_client')) reset(link);
    });
    broker.on('close', () => {
      if (!vanishes('to_client')) toClient.end();
      if (client.destroyed) links.delete(link);
    });
    if (trouble.kind === 'half_open') broker.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    get lostBytes() {
      return lostBytes;
    },
    get trouble() {
      return trouble;
    },
    set trouble(next) {
      trouble = next;
      for (const link of links) {
        if (next.kind === 'reset' || (next.kind === 'none' && link.torn)) reset(link);
        else if (next.kind === 'half_open') link.broker.destroy();
        else if (next.kind === 'none') for (const pipe of link.pipes) pipe.release();
      }
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const link of links) reset(link);
      await closed;
    },
  };
};
