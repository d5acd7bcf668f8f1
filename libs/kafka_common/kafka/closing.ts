import type { Connection, ConnectionPool } from '@platformatic/kafka';
import { withinMs } from '#service_common/within.ts';

/** Destroyed sockets are closed in the next turn of the event loop; this is for one that is not. */
const CLOSE_MS = 1_000;

/** A part of the client library, and how to be rid of it. */
export interface Closable<T> {
  readonly client: T;
  /** What is in flight fails. Resolves within two seconds, with no socket and no timer of it left; never rejects. */
  close(): Promise<void>;
}

interface LibraryClient {
  readonly connections: ConnectionPool;
  close(): Promise<void>;
}

/** The parts of one broker's client: each can be closed alone, and all of them together. */
export const createClosables = () => {
  const open = new Set<Closable<unknown>>();
  let allClosed = false;

  const add = <T>(client: T, closeClient: () => Promise<void>): Closable<T> => {
    const part: Closable<T> = {
      client,
      async close() {
        await closeClient();
        open.delete(part);
      },
    };
    open.add(part);
    if (allClosed) void part.close();
    return part;
  };

  return {
    client: <T extends LibraryClient>(client: T): Closable<T> => add(client, closerOfClient(client)),
    pool: (pool: ConnectionPool): Closable<ConnectionPool> => add(pool, closerOfPool(pool)),
    /** Closes what is open, and what is made from now on as soon as it is made. */
    async close(): Promise<void> {
      allClosed = true;
      await Promise.all(Array.from(open, (part) => part.close()));
    },
  };
};

/**
 * Destroys a client's connections before the library closes it. In the other order an answer that still comes in can
 * set the timer of a heartbeat, which then fails and is set again for ever, and retries outlive the close. And where
 * leaving the group is refused, the library would not close at all.
 */
const closerOfClient = (client: LibraryClient): (() => Promise<void>) => {
  const closePool = closerOfPool(client.connections);
  return async () => {
    await closePool();
    await settled([client.close()]);
  };
};

const closerOfPool = (pool: ConnectionPool): (() => Promise<void>) => {
  // The pool loses sight of a connection made while an earlier one to the same broker fails, and never closes it.
  const open = new Set<Connection>();
  pool.on('connecting', ({ connection }) => void open.add(connection));
  pool.on('failed', ({ connection }) => void open.delete(connection));
  pool.on('disconnect', ({ connection }) => void open.delete(connection));
  return async () => {
    const closing = [pool.close(), ...Array.from(open, (connection) => connection.close())];
    // A close in good order waits for a broker that stands still to take what was sent.
    for (const { socket } of open) socket.destroy();
    await settled(closing);
  };
};

const settled = (closing: Promise<void>[]): Promise<unknown> =>
  withinMs(CLOSE_MS, Promise.allSettled(closing)).catch(() => {});
