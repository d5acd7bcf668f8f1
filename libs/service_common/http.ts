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
  LogController,
  type RawServerDefault,
} from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import Type from 'typebox';
import manifest from '../../package.json' with { type: 'json' };
import { holdBack, letConnectionsIn } from './connections.ts';
import type { SettingInForce } from '#kafka_common/config.ts';
import { type ErrorCode, ERRORS, type FieldError, Problem, problemBody, validationProblem } from './errors.ts';
import { createCheckHistory, type Readiness } from './health.ts';
import { createHttpMetrics } from './http_metrics.ts';
import { traceIdOf, traceRequests } from './http_tracing.ts';
import type { Tracing } from './tracing.ts';

/** A Fastify app whose route handlers get their types from typebox schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface HttpAppOptions {
  readonly name: string;
  readonly description: string;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Null: off. */
  readonly tracing?: Tracing | null;
  readonly readiness: () => Readiness;
  readonly settings: readonly SettingInForce[];
}

const VERSIONS = {
  'order-events': manifest.version,
  node: process.versions.node,
  sqlite: process.versions.sqlite ?? 'none',
  '@platformatic/kafka': manifest.dependencies['@platformatic/kafka'],
};

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

/** The answer of a failed request; every route can give it. */
const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable name of the error, see docs/errors.md' }),
    outcome: Type.Optional(Type.String({ description: 'What became of the command' })),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details' },
);

/** The schema of error answers in a route's `response`. */
export const ProblemRef = Type.Ref('Problem#');

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
    // A value of the wrong type is an error and not a guess: "3" is not 3.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
    clientErrorHandler: answerUnparsable,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.maxConnections = HTTP_LIMITS.connections;
  letConnectionsIn(app.server);
  app.removeContentTypeParser('text/plain');

  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) => {
    sendProblem(
      reply,
      'RouteNotFound',
      `${request.method} ${pathOf(request)} is no route of the ${options.name}; /docs lists them`,
    );
  });
  const { onResponse } = createHttpMetrics(options.metrics, options.readiness);
  app.addHook('onResponse', (request, reply, done) => {
    onResponse(request, reply);
    done();
  });
  traceRequests(app, options.tracing ?? null);
  closeConnectionsWhenStopping(app);
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: options.name, description: options.description, version: '1.0.0' } },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, index) => (typeof $id === 'string' ? $id : `schema-${index}`),
    },
  });
  app.addSchema(ProblemSchema);
  await app.register(swaggerUi, { routePrefix: '/docs' });
  addOperatorRoutes(app, options);
  return app;
};

const Settings = Type.Object({
  service: Type.String(),
  versions: Type.Record(Type.String(), Type.String()),
  settings: Type.Array(Type.Object({ name: Type.String(), value: Type.String(), isDefault: Type.Boolean() })),
});

/** How often to look at the checks, so that they know since when they are as they are. */
const CHECKS_MS = 1_000;

const addOperatorRoutes = (app: HttpApp, { name, metrics, readiness, settings }: HttpAppOptions): void => {
  const timed = createCheckHistory(Date.now);
  const look = () => {
    const state = readiness();
    return { ...state, checks: timed(state.checks) };
  };
  const looks = setInterval(look, CHECKS_MS).unref();
  app.addHook('onClose', (_app, done) => {
    clearInterval(looks);
    done();
  });
  const schema = { tags: ['operations'] };
  app.get('/health/live', { schema: { ...schema, summary: 'The process runs' } }, () => ({ status: 'live' }));
  app.get('/health/ready', { schema: { ...schema, summary: 'The service can do its work now' } }, (_request, reply) => {
    const state = look();
    return reply.code(state.ready ? 200 : 503).send({ status: state.ready ? 'ready' : 'not_ready', ...state });
  });
  app.get(
    '/settings',
    { schema: { ...schema, summary: 'The settings in force, and versions', response: { 200: Settings } } },
    () => ({ service: name, versions: VERSIONS, settings: [...settings] }),
  );
  app.get(
    '/metrics',
    { schema: { ...schema, summary: 'Metrics in the Prometheus text format' } },
    async (_request, reply) => {
      return reply.type(metrics.contentType).send(await metrics.metrics());
    },
  );
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

/** An `if` only says that its `then` was broken, which has said so itself. */
const isAboutField = ({ keyword }: { keyword: string }): boolean => keyword !== 'if';

const fieldErrors = (error: FastifyError): FieldError[] =>
  (error.validation ?? [])
    .filter(isAboutField)
    .slice(0, LISTED_ERRORS)
    .map((failure) => {
      const missing = failure.params['missingProperty'];
      const path = [...failure.instancePath.split('/').slice(1), ...(typeof missing === 'string' ? [missing] : [])];
      return {
        field: path.join('.') || (error.validationContext ?? 'request'),
        message: typeof missing === 'string' ? 'is missing' : (failure.message ?? 'is invalid'),
      };
    });

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
