import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';

/** A Fastify app whose route handlers get their types from typebox schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** The app cannot listen. The message says which setting to change. */
export class ListenError extends Error {}

/** Connections that may wait: a busy event loop accepts one in a turn. The system has a limit of its own. */
const BACKLOG = 4_096;

/**
 * Listens on an address. `localhost` is both IPv4 and IPv6.
 * @param setting the environment variable of the port
 * @returns the address for people
 * @throws ListenError
 */
export const listen = async (app: HttpApp, host: string, port: number, setting: string): Promise<string> => {
  try {
    await app.listen({ host, port, backlog: BACKLOG });
  } catch (error) {
    throw new ListenError(reasonWhyNot(error, host, port, setting));
  }
  const address = app.server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${actualPort}`;
};

const reasonWhyNot = (error: unknown, host: string, port: number, setting: string): string => {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return `port ${port} is taken by another program; end that or set ${setting} to another port`;
    case 'EACCES':
      return `this user may not use port ${port}; set ${setting} to one above 1023`;
    case 'ENOTFOUND':
    case 'EADDRNOTAVAIL':
      return `HOST is ${JSON.stringify(host)}, which is not an address of this machine`;
    default:
      return String(error);
  }
};

/** Stops listening, and gives the requests inside `ms` milliseconds to be answered. */
export const closeHttpApp = async (app: HttpApp, ms: number): Promise<void> => {
  const timer = setTimeout(() => app.server.closeAllConnections(), ms);
  await app.close();
  clearTimeout(timer);
};
