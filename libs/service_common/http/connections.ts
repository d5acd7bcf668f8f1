import type { Server } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';

/** Who is read from, when more ask than the event loop can serve. */

const HELD_BACK_MS = 1_000;

/**
 * Once it is answered, leaves the connection of a client unread that was told to come back later, for about as long as it
 * was told; not for exactly that, so that those refused together do not come back together. One that asks on at once would
 * only be refused again, and a few thousand of them keep the event loop from everything else; what they send stays with
 * the kernel until their time has come.
 */
export const holdBack = ({ raw, request }: FastifyReply): void => {
  raw.once('finish', () => {
    const { socket } = request.raw;
    // Injected requests have none.
    if (!(socket instanceof Socket)) return;
    socket.pause();
    setTimeout(() => socket.resume(), HELD_BACK_MS * (0.75 + Math.random() / 2)).unref();
  });
};

/** A turn of the event loop that takes longer leaves those who connect waiting. */
const LONG_TURN_MS = 20;
/** How long those inside wait at most for the ones at the door; what they asked before is worked on meanwhile. */
const DOOR_OPEN_MS = 500;

/**
 * Lets new connections in while the service is flooded. libuv accepts one connection in a turn of the event loop; where a
 * turn answers a thousand requests, a hundred clients that connect, and the probe of whoever watches over the service,
 * would wait for a minute. So where such a turn has accepted one, the connections that are in already are left unread
 * until nobody waits at the door any more: those turns are short.
 */
export const letConnectionsIn = (server: Server): void => {
  const inside = new Set<Socket>();
  let accepted = 0;
  let isWatching = false;

  const openDoor = (): void => {
    const waiting = [...inside].filter((socket) => !socket.isPaused());
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
      // Whoever is inside has at least half of the time.
      setTimeout(() => (isWatching = false), performance.now() - since).unref();
    };
    // This one ends the turn under way, which may have been past its accepting already.
    setImmediate(() => setImmediate(afterTurn));
  };

  server.on('connection', (socket) => {
    accepted += 1;
    inside.add(socket);
    socket.once('close', () => inside.delete(socket));
    if (isWatching) return;
    isWatching = true;
    const since = performance.now();
    setImmediate(() => {
      if (performance.now() - since > LONG_TURN_MS) openDoor();
      else isWatching = false;
    });
  });
};
