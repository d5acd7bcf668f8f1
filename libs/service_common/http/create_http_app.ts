import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { SettingInForce } from '#service_common/config.ts';
import { createHttpMetrics } from '#service_common/telemetry/http_metrics.ts';
import { createHttpTracing } from '#service_common/telemetry/http_tracing.ts';
import type { Tracing } from '#service_common/telemetry/tracing.ts';
import { AJV_OPTIONS } from './ajv_options.ts';
import { letConnectionsIn } from './connections.ts';
import { answerError, answerUnparsable } from './error_answers.ts';
import type { Readiness } from './health.ts';
import { addHealthRoutes } from './health_routes.ts';
import type { HttpApp } from './http_app.ts';
import { readJsonBodies } from './json_bodies.ts';
import { problemsOfUnrouted } from './no_route.ts';
import { type ApiOptions, describeApi } from './openapi.ts';
import { addOperationsRoutes } from './operations_routes.ts';

export interface HttpAppOptions extends ApiOptions {
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Null or absent: no tracing. */
  readonly tracing?: Tracing | null;
  readonly readiness: () => Readiness;
  readonly settings: readonly SettingInForce[];
}

const HTTP_LIMITS = {
  bodyBytes: 65_536,
  headerBytes: 16_384,
  /** A request must have arrived completely within this time. */
  requestMs: 10_000,
  /** No byte in either direction; longer than the longest `Prefer: wait` (30 s). */
  idleMs: 60_000,
  connections: 4_000,
} as const;

/** Creates an app with everything but the routes of its service: limits, errors, telemetry, description, health. */
export const createHttpApp = async (options: HttpAppOptions): Promise<HttpApp> => {
  const app = createFastify(options.logger);
  app.server.maxConnections = HTTP_LIMITS.connections;
  letConnectionsIn(app.server);
  readJsonBodies(app);

  const unrouted = problemsOfUnrouted(app, options.name);
  app.setErrorHandler((error, request, reply) =>
    // If no route takes the request, nobody needs to know what is wrong with its body.
    answerError(request.is404 ? unrouted(request, reply) : error, request, reply),
  );
  app.setNotFoundHandler((request, reply) => answerError(unrouted(request, reply), request, reply));
  measureRequests(app, options);
  traceRequests(app, options.tracing ?? null);
  closeConnectionsWhenStopping(app);
  await app.register(swagger, describeApi(options));
  await app.register(swaggerUi, { routePrefix: '/documentation' });
  addHealthRoutes(app, options.readiness);
  addOperationsRoutes(app, options);
  return app;
};

const createFastify = (logger: FastifyBaseLogger): HttpApp =>
  Fastify({
    // Requests are counted and timed (`/metrics`), not logged one by one.
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    return503OnClosing: false,
    bodyLimit: HTTP_LIMITS.bodyBytes,
    requestTimeout: HTTP_LIMITS.requestMs,
    connectionTimeout: HTTP_LIMITS.idleMs,
    keepAliveTimeout: HTTP_LIMITS.idleMs,
    forceCloseConnections: 'idle',
    http: {
      maxHeaderSize: HTTP_LIMITS.headerBytes,
      headersTimeout: HTTP_LIMITS.requestMs,
      connectionsCheckingInterval: 1_000,
    },
    ajv: { customOptions: AJV_OPTIONS },
    clientErrorHandler: answerUnparsable,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();

const measureRequests = (app: HttpApp, { metrics, readiness }: HttpAppOptions): void => {
  const { onResponse } = createHttpMetrics(metrics, readiness);
  app.addHook('onResponse', (request, reply, done) => {
    onResponse(request, reply);
    done();
  });
};

const traceRequests = (app: HttpApp, tracing: Tracing | null): void => {
  app.decorateRequest('span', null);
  if (tracing === null) return;
  const { onRequest, onResponse, onRequestAbort } = createHttpTracing(tracing);
  app.addHook('onRequest', (request, _reply, done) => {
    onRequest(request);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    onResponse(request, reply);
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    onRequestAbort(request);
    done();
  });
};

/** A connection that is kept alive would keep the closing server alive too: the last answer on each ends it. */
const closeConnectionsWhenStopping = (app: HttpApp): void => {
  let isStopping = false;
  app.addHook('preClose', (done) => {
    isStopping = true;
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isStopping) void reply.header('connection', 'close');
    done(null, payload);
  });
};
