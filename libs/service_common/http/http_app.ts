import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchemaValidationError,
  LogController,
  type RawServerDefault,
} from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { SettingInForce } from '#kafka_common/config.ts';
import { AJV_OPTIONS } from './ajv_options.ts';
import { holdBack, letConnectionsIn } from './connections.ts';
import {
  type ErrorCode,
  ERRORS,
  type FieldError,
  Problem,
  problemBody,
  validationProblem,
} from '#service_common/errors.ts';
import { addHealthRoutes } from './health_routes.ts';
import type { Readiness } from './health.ts';
import { createHttpMetrics } from '#service_common/telemetry/http_metrics.ts';
import { traceIdOf, traceRequests } from '#service_common/telemetry/http_tracing.ts';
import { noRouteAnswers } from './no_route.ts';
import { type ApiOptions, describeApi } from './openapi.ts';
import type { Tracing } from '#service_common/telemetry/tracing.ts';

/** A Fastify app whose route handlers get their types from typebox schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface HttpAppOptions extends ApiOptions {
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Null: off. */
  readonly tracing?: Tracing | null;
  readonly readiness: () => Readiness;
  readonly settings: readonly SettingInForce[];
}

const HTTP_LIMITS = {
  bodyBytes: 65_536,
  headerBytes: 16_384,
  /** A request must have arrived whole within this. */
  requestMs: 10_000,
  /** No byte in either direction; above the longest `Prefer: wait` (30 s). */
  idleMs: 60_000,
  connections: 4_000,
} as const;

/** Errors listed in one answer; a body can break more rules than anybody wants to read. */
const LISTED_ERRORS = 20;

export const createHttpApp = async (options: HttpAppOptions): Promise<HttpApp> => {
  const logger: FastifyBaseLogger = options.logger;
  const app: HttpApp = Fastify({
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
    // Unknown fields are ignored, also those with names that are dangerous to copy.
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    ajv: { customOptions: AJV_OPTIONS },
    clientErrorHandler: answerUnparsable,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.maxConnections = HTTP_LIMITS.connections;
  letConnectionsIn(app.server);
  app.removeContentTypeParser('text/plain');

  const noRoute = noRouteAnswers(app, options.name);
  app.setErrorHandler((error, request, reply) =>
    // What is wrong with its body is of no interest where there is nothing to take it.
    answerError(request.is404 ? noRoute(request, reply) : error, request, reply),
  );
  app.setNotFoundHandler((request, reply) => answerError(noRoute(request, reply), request, reply));
  const { onResponse } = createHttpMetrics(options.metrics, options.readiness);
  app.addHook('onResponse', (request, reply, done) => {
    onResponse(request, reply);
    done();
  });
  traceRequests(app, options.tracing ?? null);
  closeConnectionsWhenStopping(app);
  await app.register(swagger, describeApi(options));
  await app.register(swaggerUi, { routePrefix: '/documentation' });
  addHealthRoutes(app, options);
  return app;
};

/** A connection that is kept alive would keep the closing server alive too: the last answer on each ends it. */
const closeConnectionsWhenStopping = (app: HttpApp): void => {
  let stopping = false;
  app.addHook('preClose', (done) => {
    stopping = true;
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (stopping) void reply.header('connection', 'close');
    done(null, payload);
  });
};

/** Stops listening, and gives the requests inside `ms` milliseconds to be answered. */
export const closeHttpApp = async (app: HttpApp, ms: number): Promise<void> => {
  const timer = setTimeout(() => app.server.closeAllConnections(), ms);
  await app.close();
  clearTimeout(timer);
};

const answerError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const problem = toProblem(error as FastifyError | Problem);
  if (problem.code === 'InternalError') {
    const of = { method: request.method, path: pathOf(request), traceId: traceIdOf(request) };
    request.log.error({ err: error, ...of }, 'request failed');
  }
  sendProblem(reply, problem.code, problem.message, problem.extras);
};

const FRAMEWORK_ERRORS: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BodyTooLarge',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UnsupportedMediaType',
  FST_ERR_MAX_PARAM_LENGTH: 'UriTooLong',
};

const BODY_ERRORS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'is empty; send a JSON object',
  FST_ERR_CTP_INVALID_JSON_BODY: 'is not valid JSON',
};

const toProblem = (error: FastifyError | Problem): Problem => {
  if (error instanceof Problem) return error;
  if (error.validation) return validationProblem(fieldErrors(error));
  const code = FRAMEWORK_ERRORS[error.code];
  if (code) return new Problem(code, ERRORS[code].meaning);
  const wrongBody = BODY_ERRORS[error.code];
  if (wrongBody) return validationProblem([{ field: 'body', message: wrongBody }]);
  return error.statusCode && error.statusCode < 500
    ? new Problem('ValidationFailed', error.message)
    : new Problem('InternalError', 'the request failed by a fault of the service, which was logged');
};

/** Of what says the same twice, the first: an `if` that its `then` was broken, an `enum` that the type is wrong. */
const isNews = (
  { keyword, instancePath }: FastifySchemaValidationError,
  all: FastifySchemaValidationError[],
): boolean =>
  keyword !== 'if' &&
  !(keyword === 'enum' && all.some((other) => other.keyword === 'type' && other.instancePath === instancePath));

const fieldErrors = (error: FastifyError): FieldError[] =>
  (error.validation ?? [])
    .filter((failure, _index, all) => isNews(failure, all))
    .slice(0, LISTED_ERRORS)
    .map((failure) => {
      const missing = failure.params['missingProperty'];
      const path = [...failure.instancePath.split('/').slice(1), ...(typeof missing === 'string' ? [missing] : [])];
      return {
        field: path.join('.') || (error.validationContext ?? 'request'),
        message: typeof missing === 'string' ? 'is missing' : messageOf(failure),
      };
    });

/** What is wrong: as its schema says, where a pattern would say too little. */
const messageOf = (failure: FastifySchemaValidationError): string => {
  const { message, params } = failure;
  const { parentSchema } = failure as { parentSchema?: { readonly 'x-message'?: string } };
  if (parentSchema?.['x-message'] !== undefined) return parentSchema['x-message'];
  const { allowedValues } = params;
  if (!Array.isArray(allowedValues)) return message ?? 'is invalid';
  const areFew = allowedValues.length <= LISTED_ERRORS;
  return areFew ? `must be one of ${allowedValues.join(', ')}` : 'is none of the values that /documentation lists';
};

/** Sends an error answer. `Retry-After` is in seconds. */
const sendProblem = (reply: FastifyReply, code: ErrorCode, detail: string, extras: Problem['extras'] = {}): void => {
  if (extras.retryAfter !== undefined) void reply.header('retry-after', extras.retryAfter);
  if (code === 'ProducerQueueFull') holdBack(reply);
  void reply
    .code(ERRORS[code].status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problemBody(code, detail, extras));
};

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]?.slice(0, 200) ?? '';

const PARSER_ERRORS: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HeadersTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'RequestTimeout',
};

/** Answers what is no HTTP request at all, where there is no request object to answer by. */
const answerUnparsable = (
  error: NodeJS.ErrnoException,
  socket: { writable: boolean; end(data: string): void; destroy(): void },
): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = PARSER_ERRORS[error.code ?? ''] ?? 'ValidationFailed';
  const { status } = ERRORS[code];
  const body = JSON.stringify(
    problemBody(code, code === 'ValidationFailed' ? 'this is not an HTTP/1.1 request' : ERRORS[code].meaning),
  );
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
};
