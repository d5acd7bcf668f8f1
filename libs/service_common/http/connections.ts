import type { Server } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';

/** Decides which connections are read when clients send more than the event loop can serve. */

/**
 * Stops reading the connection of a client after its answer, for about `seconds`. The exact time is random, so that
 * clients that were refused together do not come back together. A client that asks again at once would only be refused
 * again, and a few thousand of them block the event loop. Meanwhile the kernel keeps what they send.
 */
export const holdBack = ({ raw, request }: FastifyReply, seconds: number): void => {
  raw.once('finish', () => {
    const { socket } = request.raw;
    // Injected requests have no socket.
    if (!(socket instanceof Socket)) return;
    socket.pause();
    setTimeout(() => socket.resume(), seconds * 1_000 * (0.75 + Math.random() / 2)).unref();
  });
};

/** After a longer turn of the event loop, new connections have waited too long. */
const LONG_TURN_MS = 20;
/** The longest time that open connections wait for new ones. Requests that arrived before are served meanwhile. */
const DOOR_OPEN_MS = 500;

/**
 * Lets new connections in while the service is flooded. libuv accepts one connection in a turn of the event loop. If a
 * turn answers a thousand requests, a hundred new clients and the health probe would wait for a minute. So when a long
 * turn has accepted one, the open connections are not read until no new one waits. Those turns are short.
 */
export const letConnectionsIn = (server: Server): void => {
  const open = new Set<Socket>();
  let accepted = 0;
  let isWatching = false;

  const openDoor = (): void => {
    const waiting = [...open].filter((socket) => !socket.isPaused());
    for (const socket of waiting) socket.pause();
    const since = performance.now();
    let seen = accepted;
    const afterTurn = (): void => {
      if (accepted > seen && performance.now() < since + DOOR_OPEN_MS) {
        seen = accepted;
        setImmediate(afterTurn);
        return;
      }
      for (const socket of waiting) socket.resume();
      // Open connections get at least half of the time.
      setTimeout(() => (isWatching = false), performance.now() - since).unref();
    };
    // The first turn ends the present one, which may have accepted already.
    setImmediate(() => setImmediate(afterTurn));
  };

  server.on('connection', (socket) => {
    accepted += 1;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (isWatching) return;
    isWatching = true;
    const since = performance.now();
    setImmediate(() => {
      if (performance.now() - since > LONG_TURN_MS) openDoor();
      else isWatching = false;
    });
  });
};
