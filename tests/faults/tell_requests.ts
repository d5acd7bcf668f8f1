/**
 * Loaded into a service by `--import`: writes a line for each request that its server has read, so that a request which
 * got no answer can be told from one that was never read.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

subscribe('http.server.request.start', (message) => {
  const { headers } = (message as { request: IncomingMessage }).request;
  const number = headers['x-ask'];
  if (number !== undefined) process.stderr.write(`has read ask ${String(number)}\n`);
});
