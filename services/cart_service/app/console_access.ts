import cors from '@fastify/cors';
import type { HttpApp } from '#service_common/http/http_app.ts';

/** The routes that the console calls from the browser. */
const ROUTES: ReadonlySet<string> = new Set([
  'POST /create-order',
  'PUT /update-order',
  'GET /health/ready',
  'GET /settings',
]);

/** Lets pages of the console's origins call the routes that they need. All other pages and routes get no CORS header. */
export const allowConsole = async (app: HttpApp, origins: readonly string[]): Promise<void> => {
  await app.register(cors, {
    delegator: (request, done) => {
      const { method, headers } = request.raw;
      const asked = method === 'OPTIONS' ? headers['access-control-request-method'] : method;
      const isForConsole =
        origins.includes(headers.origin ?? '') && ROUTES.has(`${asked} ${request.raw.url?.split('?', 1)[0]}`);
      done(null, {
        origin: isForConsole ? [...origins] : false,
        methods: ['GET', 'POST', 'PUT'],
        allowedHeaders: ['content-type', 'idempotency-key', 'traceparent'],
        exposedHeaders: ['retry-after'],
        maxAge: 600,
      });
    },
  });
};
