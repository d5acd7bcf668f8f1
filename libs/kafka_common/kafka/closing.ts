import type { Connection, ConnectionPool } from '@platformatic/kafka';
import { withinMs } from '#service_common/within.ts';

/** A destroyed socket is closed in the next turn of the event loop. This is the limit for one that is not. */
const CLOSE_MS = 1_000;

/** A client or a connection pool of the library, with a close that holds its promise. */
export interface Closable<T> {
  readonly client: T;
  /** Requests in flight fail. Resolves within two seconds and leaves no socket and no timer. Never rejects. */
  close(): Promise<void>;
}

interface LibraryClient {
  readonly connections: ConnectionPool;
  close(): Promise<void>;
}

/** The closables of one broker client. Each can be closed alone, or all together. */
export const createClosables = () => {
  const open = new Set<Closable<unknown>>();
  let allClosed = false;

  const add = <T>(client: T, closeClient: () => Promise<void>): Closable<T> => {
    const closable: Closable<T> = {
      client,
      async close() {
        await closeClient();
        open.delete(closable);
      },
    };
    open.add(closable);
    if (allClosed) void closable.close();
    return closable;
  };

  return {
    client: <T extends LibraryClient>(client: T): Closable<T> => add(client, closerOfClient(client)),
    pool: (pool: ConnectionPool): Closable<ConnectionPool> => add(pool, closerOfPool(pool)),
    /** Closes all that are open. One that is added later is closed at once. */
    async close(): Promise<void> {
      allClosed = true;
      await Promise.all(Array.from(open, (closable) => closable.close()));
    },
  };
};

/**
 * Destroys a client's connections before the library closes it. In the other order, a late answer can set the timer of
 * a heartbeat, which fails and is set again for ever. Retries would outlive the close too. And the library would not
 * close at all if leaving the group is refused.
 */
const closerOfClient = (client: LibraryClient): (() => Promise<void>) => {
  const closePool = closerOfPool(client.connections);
  return async () => {
    await closePool();
    await settled([client.close()]);
  };
};

const closerOfPool = (pool: ConnectionPool): (() => Promise<void>) => {
  // The pool forgets a connection that is made while an earlier one to the same broker fails, and never closes it.
  const open = new Set<Connection>();
  pool.on('connecting', ({ connection }) => void open.add(connection));
  pool.on('failed', ({ connection }) => void open.delete(connection));
  pool.on('disconnect', ({ connection }) => void open.delete(connection));
  return async () => {
    const closing = [pool.close(), ...Array.from(open, (connection) => connection.close())];
    // A graceful close would wait until a broker that stands still has read what was sent.
    for (const { socket } of open) socket.destroy();
    await settled(closing);
  };
};

const settled = (closing: Promise<void>[]): Promise<unknown> =>
  withinMs(CLOSE_MS, Promise.allSettled(closing)).catch(() => {});
