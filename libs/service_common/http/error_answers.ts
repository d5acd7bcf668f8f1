import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify';
import {
  type ErrorCode,
  ERRORS,
  type FieldError,
  Problem,
  problemBody,
  validationProblem,
} from '#service_common/errors.ts';
import { traceIdOf } from '#service_common/telemetry/http_tracing.ts';
import { holdBack } from './connections.ts';

/** Answers a request with the problem that was thrown, or with the problem that stands for an error of Fastify. */
export const answerError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const problem = problemOf(error as FastifyError | Problem);
  if (problem.code === 'InternalError') {
    const context = { method: request.method, path: pathOf(request), traceId: traceIdOf(request) };
    request.log.error({ err: error, ...context }, 'request failed');
  }
  sendProblem(reply, problem);
};

const sendProblem = (reply: FastifyReply, { code, message, extras }: Problem): void => {
  const { status, holdsBack } = ERRORS[code];
  if (extras.retryAfter !== undefined) {
    void reply.header('retry-after', extras.retryAfter);
    if (holdsBack) holdBack(reply, extras.retryAfter);
  }
  void reply
    .code(status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problemBody(code, message, extras));
};

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]?.slice(0, 200) ?? '';

const FRAMEWORK_ERRORS: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BodyTooLarge',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UnsupportedMediaType',
  FST_ERR_MAX_PARAM_LENGTH: 'UriTooLong',
};

const BODY_ERRORS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'is empty; send a JSON object',
  FST_ERR_CTP_INVALID_JSON_BODY: 'is not valid JSON',
};

const problemOf = (error: FastifyError | Problem): Problem => {
  if (error instanceof Problem) return error;
  if (error.validation) return validationProblem(fieldErrors(error));
  const code = FRAMEWORK_ERRORS[error.code];
  if (code) return new Problem(code, ERRORS[code].meaning);
  const wrongBody = BODY_ERRORS[error.code];
  if (wrongBody) return validationProblem([{ field: 'body', message: wrongBody }]);
  return error.statusCode && error.statusCode < 500
    ? new Problem('ValidationFailed', error.message)
    : new Problem('InternalError', 'the request failed because of a fault of the service, which was logged');
};

/** The most errors that one answer lists. A body can break more rules than anybody wants to read. */
const LISTED_ERRORS = 20;

const fieldErrors = (error: FastifyError): FieldError[] =>
  (error.validation ?? [])
    .filter((failure, _index, all) => !isRepetition(failure, all))
    .slice(0, LISTED_ERRORS)
    .map((failure) => {
      const missing = failure.params['missingProperty'];
      const path = [...failure.instancePath.split('/').slice(1), ...(typeof missing === 'string' ? [missing] : [])];
      return {
        field: path.join('.') || (error.validationContext ?? 'request'),
        message: typeof missing === 'string' ? 'is missing' : messageOf(failure),
      };
    });

/** Whether another failure says the same: an `if` repeats what its `then` reports, an `enum` repeats a wrong type. */
const isRepetition = (
  { keyword, instancePath }: FastifySchemaValidationError,
  all: FastifySchemaValidationError[],
): boolean =>
  keyword === 'if' ||
  (keyword === 'enum' && all.some((other) => other.keyword === 'type' && other.instancePath === instancePath));

/** What is wrong. The schema can have its own words (`x-message`), for example instead of a pattern. */
const messageOf = (failure: FastifySchemaValidationError): string => {
  const { message, params } = failure;
  const { parentSchema } = failure as { parentSchema?: { readonly 'x-message'?: string } };
  if (parentSchema?.['x-message'] !== undefined) return parentSchema['x-message'];
  const { allowedValues } = params;
  if (!Array.isArray(allowedValues)) return message ?? 'is invalid';
  const areFew = allowedValues.length <= LISTED_ERRORS;
  return areFew ? `must be one of ${allowedValues.join(', ')}` : 'is none of the values that /documentation lists';
};

const PARSER_ERRORS: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HeadersTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'RequestTimeout',
};

/** Answers bytes that are not an HTTP request. There is no request object for them, only the socket. */
export const answerUnparsable = (
  error: NodeJS.ErrnoException,
  socket: { writable: boolean; end(data: string): void; destroy(): void },
): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = PARSER_ERRORS[error.code ?? ''] ?? 'ValidationFailed';
  const { status, meaning } = ERRORS[code];
  const detail = code === 'ValidationFailed' ? 'this is not an HTTP/1.1 request' : meaning;
  const body = JSON.stringify(problemBody(code, detail));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
};
