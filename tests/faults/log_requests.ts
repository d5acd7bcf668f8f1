/**
 * `--import` loads this into a service: it writes a line for each request that the server has read. So a request
 * without an answer can be distinguished from one that was never read.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

subscribe('http.server.request.start', (message) => {
  const { headers } = (message as { request: IncomingMessage }).request;
  const number = headers['x-request-number'];
  if (number !== undefined) process.stderr.write(`has read request ${String(number)}\n`);
});
